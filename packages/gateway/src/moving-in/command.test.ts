import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../command.ts'

const NGINX = 'upstream app { server 10.0.0.1:80; }\n'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limpet-from-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function from(...args: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const code = await run(['from', ...args], { out: text => out.push(text), error: text => error.push(text) })
  return { code, out: out.join(''), error: error.join('').replaceAll(`${folder}/`, '') }
}

describe('limpet from', () => {
  it.each([
    ['Caddyfile', ':80\nreverse_proxy 10.0.0.1:80\n', 'caddy'],
    ['haproxy.cfg', 'backend app\n server a 10.0.0.1:80\n', 'haproxy'],
    ['site.conf', NGINX, 'nginx'],
    ['some.conf', 'backend app\n server a 10.0.0.1:80\n', 'haproxy'],
    ['dynamic.yml', 'http:\n  services: { a: { loadBalancer: { servers: [] } } }\n', 'traefik'],
    ['dynamic.toml', '[http.services.a.loadBalancer]\n', 'traefik'],
    [
      'shop.yaml',
      'kind: Ingress\nspec: { defaultBackend: { service: { name: a, port: { number: 80 } } } }\n',
      'ingress',
    ],
  ])('tells whose file %s is', async (name, text, server) => {
    const { code, out } = await from(file(name, text))
    expect(code).toBe(0)
    expect(out).toContain(`# ${server}: `)
  })

  it.each([
    ['no file at all', [], 'the file of the other server is missing'],
    ['two files', ['a', 'b'], 'one file at a time; got 2'],
    [
      'a format that is not known',
      ['a', '--format', 'apache'],
      '--format got "apache"; it takes nginx, haproxy,',
    ],
    ['a misspelt option', ['a', '--fromat', 'nginx'], '--fromat is not known; did you mean --format?'],
    ['--force alone', ['a', '--force'], '--force needs --out FILE'],
    ['a file that is not there', ['/nowhere/nginx.conf'], '/nowhere/nginx.conf cannot be read (ENOENT)'],
  ])('refuses %s', async (_, args, message) => {
    const { code, out, error } = await from(...args)
    expect([code, out]).toEqual([2, ''])
    expect(error).toContain(`limpet from: ${message}`)
  })

  it.each<[string, string | Uint8Array, string]>([
    ['empty.conf', ' \n', 'empty.conf is empty'],
    ['huge.conf', `# ${'x'.repeat(4 * 1024 ** 2)}`, 'huge.conf is larger than 4 MiB'],
    ['binary.conf', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0), 'binary.conf is not a text: it has zero bytes'],
    ['latin.conf', Uint8Array.of(0x66, 0xfc, 0x72), 'latin.conf is not a text: it is no UTF-8'],
    ['unknown.conf', 'hello world\n', 'unknown.conf is of no known server; --format takes'],
    [
      'nginx.conf',
      'upstream app {',
      'nginx.conf as a file of nginx: line 1: the file ends within this block',
    ],
  ])('refuses %s', async (name, content, message) => {
    const { code, out, error } = await from(file(name, content))
    expect([code, out]).toEqual([2, ''])
    expect(error).toContain(`limpet from: ${message}`)
  })

  it.each([
    [
      'includes',
      'nginx.conf',
      'http {\n  include conf.d/*.conf;\n}\n',
      ['nginx.conf:2: include: other files are not read'],
    ],
    [
      'variables',
      'site.conf',
      'server {\n  location / { proxy_pass http://$up; }\n}\n',
      ['site.conf:2: location /: proxy_pass has a variable'],
    ],
    [
      'imports',
      'Caddyfile',
      'import common\nimport sites/*\n',
      ['Caddyfile:1: import: ', 'Caddyfile:2: import: '],
    ],
    [
      'defaults',
      'haproxy.cfg',
      'defaults\n  mode http\n  timeout connect 5s\n',
      ['haproxy.cfg:1: defaults: no section that limpet can take uses it\nlimpet from: '],
    ],
  ])('says of a file that has only %s what it could not take', async (_, name, text, lines) => {
    const { code, out, error } = await from(file(name, text))
    expect([code, out]).toEqual([2, ''])
    for (const line of lines) expect(error).toContain(`\n  ${line}`)
    expect(error).toContain('nothing in the file passes requests to a backend that limpet can take')
  })

  it('refuses a folder, and a file that never ends', async () => {
    mkdirSync(join(folder, 'conf.d'))
    expect(await from(join(folder, 'conf.d'))).toMatchObject({
      code: 2,
      error: expect.stringContaining('EISDIR'),
    })
    expect(await from('/dev/zero')).toMatchObject({
      code: 2,
      error: expect.stringContaining('larger than 4 MiB'),
    })
  })

  it('takes a file of the largest size in a moment', async () => {
    const text = `${NGINX}${'# a comment of some length that says nothing at all\n'.repeat(80_000)}`
    const { code } = await from(file('large.conf', text), '--format', 'nginx')
    expect(code).toBe(0)
  })

  it('writes a file, and not over one that exists', async () => {
    const source = file('app.conf', NGINX)
    const out = join(folder, 'limpet.yaml')
    expect(await from(source, '--out', out)).toMatchObject({ code: 0, out: '' })
    const first = readFileSync(out, 'utf8')
    expect(first).toContain('10.0.0.1:80')
    const other = file('other.conf', NGINX.replace('10.0.0.1', '10.0.0.2'))
    const again = await from(other, '--out', out)
    expect([again.code, again.error]).toEqual([2, expect.stringContaining('exists; --force overwrites it')])
    expect(readFileSync(out, 'utf8')).toBe(first)
    expect((await from(other, '--out', out, '--force')).code).toBe(0)
    expect(readFileSync(out, 'utf8')).toContain('10.0.0.2:80')
    expect(await from(other, '--out', '/nowhere/limpet.yaml')).toMatchObject({ code: 2 })
  })

  it('reads what a pipe brings', () => {
    const main = join(import.meta.dirname, '../../dist/main.js')
    const source = file('piped.conf', NGINX)
    const out = execFileSync('sh', ['-c', 'cat "$1" | node "$0" from /dev/stdin', main, source], {
      encoding: 'utf8',
    })
    expect(out).toContain('10.0.0.1:80')
  })

  it('keeps control characters of a file away from the terminal', async () => {
    const { out, error } = await from(file('evil.conf', 'upstream "a\u001B[2J" { server "b\u001B[2J"; }\n'))
    // eslint-disable-next-line no-control-regex
    expect(out + error).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/)
  })

  it('has a help', async () => {
    expect(await from('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes') })
  })
})
