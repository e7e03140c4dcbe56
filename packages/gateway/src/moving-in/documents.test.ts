import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { run } from '../command.ts'

/** The configurations of the documents that limpet was made for, through the command itself. */

const FOLDER = fileURLToPath(new URL('fixtures/', import.meta.url))
const TLS = fileURLToPath(new URL('../../../../test/support/tls/', import.meta.url))

interface Moved {
  readonly code: number
  readonly file: {
    readonly listen?: unknown
    readonly routes?: unknown
    readonly limits?: unknown
    readonly pools: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
  readonly text: string
  readonly report: string
}

async function moved(name: string): Promise<Moved> {
  const out: string[] = []
  const report: string[] = []
  const code = await run(['from', `${FOLDER}${name}`], {
    out: text => out.push(text),
    error: text => report.push(text),
  })
  const text = out.join('')
  return { code, text, file: parse(text), report: report.join('').replaceAll(FOLDER, '') }
}

let scratch = ''
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'limpet-from-'))
  vi.stubEnv('LIMPET_SECRET', 'a-secret-of-the-tests-0123456789abcdef')
})
afterAll(() => {
  rmSync(scratch, { recursive: true })
  vi.unstubAllEnvs()
})

/** The output of `limpet check`, with certificates of ours. */
async function check(text: string): Promise<string> {
  const file = join(scratch, 'limpet.yaml')
  const cert = readFileSync(`${TLS}certificate.pem`, 'utf8')
  const both = join(scratch, 'both.pem')
  writeFileSync(both, `${cert}\n${readFileSync(`${TLS}key.pem`, 'utf8')}`)
  writeFileSync(file, text.replaceAll(/\/etc\/\S+\.pem/g, both))
  const said: string[] = []
  const code = await run(['check', '--config', file], {
    out: line => said.push(line),
    error: line => said.push(line),
  })
  return code === 0 ? 'good' : said.join('')
}

describe('the documents, moved in', () => {
  it.each(globSync('*', { cwd: FOLDER }))('%s is a file that limpet check accepts', async name => {
    const { code, text, report } = await moved(name)
    expect(await check(text)).toBe('good')
    expect(code).toBe(report.includes('not taken:') ? 1 : 0)
  })

  it('takes all of a sticky cookie of nginx', async () => {
    const { code, file, report } = await moved('nginx-cookie.conf')
    expect([code, report]).toEqual([0, expect.stringMatching(/^all of .* was taken\n$/)])
    expect(file).toEqual({
      listen: '0.0.0.0:80',
      secrets: ['env:LIMPET_SECRET'],
      pools: {
        backend_servers: {
          backends: [10, 11, 12].map(part => ({
            id: `192_168_1_${part}-8080`,
            url: `http://192.168.1.${part}:8080`,
          })),
          affinity: [
            {
              cookie: {
                name: 'SERVERID',
                maxLife: '0s',
                maxIdle: '1h',
                persistent: true,
                path: '/',
                accept: ['raw', 'nginx'],
              },
            },
          ],
          passive: { fall: 1, retryAfter: '10s' },
        },
      },
    })
  })

  it('takes the cookie words of HAProxy as aliases', async () => {
    const { file } = await moved('haproxy-cookie.cfg')
    expect(file.pools['http_back']).toMatchObject({
      backends: [
        { id: 'server1', url: 'http://192.168.1.10:8080', aliases: ['s1'] },
        { id: 'server2', aliases: ['s2'] },
        { id: 'server3', aliases: ['s3'] },
      ],
      affinity: [{ cookie: { name: 'SERVERID', maxLife: '0s', accept: ['haproxy'] } }],
      timeouts: { connect: '5s', response: '50s' },
    })
  })

  it.each([
    ['nginx-ip-hash.conf', { balance: { hash: 'ip', ipv4Prefix: 24, ipv6Prefix: 128 } }],
    ['nginx-learn.conf', { affinity: [{ learn: { cookie: 'JSESSIONID', ttl: '1h' } }] }],
    ['haproxy-source.cfg', { balance: { hash: 'ip', ipv6Prefix: 128 } }],
    ['haproxy-prefix.cfg', { affinity: [{ prefix: { cookie: 'JSESSIONID', accept: ['haproxy'] } }] }],
    ['haproxy-header.cfg', { balance: { hash: 'header:X-API-Key' } }],
    ['haproxy-failover.cfg', { health: { path: '/health', expect: 200, interval: '5s', fall: 3, rise: 2 } }],
  ])('keeps the way of %s', async (name, expected) => {
    const { file } = await moved(name)
    expect(Object.values(file.pools)).toEqual([expect.objectContaining(expected)])
  })

  it('takes a whole file of nginx, and names the location that answers by itself', async () => {
    const { code, file, report } = await moved('nginx-production.conf')
    expect(code).toBe(1)
    expect(report).toBe(
      'not taken:\n  nginx-production.conf:54: location: no proxy_pass that limpet can follow; it answers nothing by itself but the path of listen.health\n',
    )
    expect(file.listen).toMatchObject({ port: 443, http2: true, tls: { cert: '/etc/nginx/ssl/cert.pem' } })
    expect(file.pools['app_backend']).toMatchObject({
      slowStart: '30s',
      timeouts: { connect: '5s', response: '1m' },
    })
    expect(file.pools['app_backend']?.['backends']).toContainEqual({
      id: '192_168_1_99-8080',
      url: 'http://192.168.1.99:8080',
      backup: true,
    })
  })

  it('takes a whole file of HAProxy: two backends by path, TLS, the stats page', async () => {
    const { code, file, report } = await moved('haproxy-production.cfg')
    expect(code).toBe(1)
    expect(report).toMatch(
      /^not taken:\n {2}\S+:15: ssl-default-bind-ciphers: .*\n {2}\S+:16: ssl-default-bind-options/,
    )
    expect(file).toMatchObject({
      routes: [{ path: '/api', pool: 'api_backend' }, { pool: 'web_backend' }],
      limits: { connections: 3000, headersTimeout: '10s', keepAlive: '10s', sendTimeout: '1m' },
      admin: { listen: '127.0.0.1:8404' },
      pools: {
        web_backend: {
          maxAttempts: 4,
          responseHeaders: { set: { 'Strict-Transport-Security': 'max-age=31536000' } },
        },
        api_backend: { balance: { hash: 'ip' }, health: { path: '/api/health', timeout: '10s' } },
      },
    })
  })

  it('names the file that it was made from', async () => {
    const { text } = await moved('nginx-names.conf')
    expect(text).toMatch(new RegExp(`^# Made by limpet from ${basename('nginx-names.conf')}\\.`))
    expect(text).toContain('  # nginx: upstream, line 2\n')
  })
})
