import { describe, expect, it } from 'vitest'
import { parseConfig } from './config-file.ts'

const backends = [
  { id: 'a', url: 'http://127.0.0.1:1' },
  { id: 'b', url: 'http://127.0.0.1:2' },
]
const web = { backends, balance: { hash: 'ip' } }

function adviceOn(file: object, options?: { readonly withoutSecrets: boolean }): readonly string[] {
  const text = JSON.stringify(file)
  return parseConfig({ file: '/nowhere/limpet.yaml', text, adapter: undefined, kept: undefined }, options)
    .advice
}

describe('advice on a file', () => {
  it('is none for a file without a usual mistake', () => {
    expect(adviceOn({ pools: { web } })).toEqual([])
    expect(adviceOn({ routes: [{ path: '/api', pool: 'web' }, { pool: 'web' }], pools: { web } })).toEqual([])
  })

  it('names missing default routes and unused pools', () => {
    expect(adviceOn({ routes: [{ path: '/api', pool: 'web' }], pools: { web, api: web } })).toEqual([
      'routes has no default: a request that no route matches gets 404; add { pool: NAME }',
      'pools.api is in no route: it gets no request',
    ])
  })

  it('names several backends without affinity', () => {
    expect(adviceOn({ pools: { web: { backends } } })).toEqual([
      expect.stringMatching(/^pools\.web has no affinity: /),
    ])
  })

  it('names a health check that a redirect fails', () => {
    expect(adviceOn({ pools: { web: { ...web, health: {} } } })).toEqual([
      expect.stringMatching(/^pools\.web\.health asks for \/ and expects 2xx: /),
    ])
    for (const health of [{ path: '/health' }, { expect: ['2xx', '3xx'] }])
      expect(adviceOn({ pools: { web: { ...web, health } } })).toEqual([])
  })

  it('names missing secrets and files where they may be missing', () => {
    const file = {
      listen: { port: 1, tls: { cert: 'cert.pem', key: 'key.pem' } },
      secrets: ['env:LIMPET_NOT_THERE', 'file:no-secret'],
      pools: {
        web: {
          backends,
          affinity: [
            {
              cookie: {
                accept: [{ haproxy: { key: 'env:LIMPET_NO_KEY' } }, { caddy: { secret: 'file:no' } }],
              },
            },
          ],
          balance: { hash: 'ip', seed: 'env:LIMPET_NO_SEED' },
          tls: { ca: 'ca.pem' },
        },
      },
      admin: { listen: '0.0.0.0:1', token: 'env:LIMPET_NO_TOKEN' },
    }
    const paths = adviceOn(file, { withoutSecrets: true }).map(line => line.split(' ')[0])
    expect(paths).toEqual([
      'listen.tls.cert',
      'listen.tls.key',
      'secrets[0]',
      'secrets[1]',
      'pools.web.balance.seed',
      'pools.web.affinity[0].cookie.accept[0].haproxy.key',
      'pools.web.affinity[0].cookie.accept[1].caddy.secret',
      'pools.web.tls.ca',
      'admin.token',
    ])
    expect(() => adviceOn(file)).toThrow('secrets[0] the environment has no LIMPET_NOT_THERE')
  })

  it('names a missing address of a store', () => {
    const secrets = ['a-secret-of-the-tests-0123456789abcdef']
    const file = { secrets, store: { redis: { url: 'env:LIMPET_NO_URL' } }, pools: { web } }
    expect(adviceOn(file, { withoutSecrets: true })).toEqual([
      'store.redis.url the environment has no LIMPET_NO_URL',
    ])
  })

  it('does not take a secret that is there and wrong', () => {
    expect(() =>
      adviceOn(
        { secrets: ['short'], pools: { web: { backends, affinity: [{ cookie: {} }] } } },
        { withoutSecrets: true },
      ),
    ).toThrow('secrets[0]')
  })
})
