import { createHash, createHmac } from 'node:crypto'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { programPath, startPeer } from '../drill/peer.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import type { Script } from '../support/exchange.ts'
import { freePort } from '../support/free-port.ts'
import { GATEWAY_PROGRAM, GatewayProcess } from '../support/gateway-process.ts'
import { echo, echoWith } from '../support/scripts.ts'

/** Sessions that another server has begun go on at limpet, which was given that server's file. */

const SECRETS = {
  LIMPET_SECRET: 'a-secret-of-the-tests-0123456789abcdef',
  CADDY_COOKIE_SECRET: 'a-secret-of-caddy',
  HAPROXY_COOKIE_KEY: 'a-key-of-haproxy',
}

interface Server {
  /** Where it is installed it writes the cookies itself, and otherwise they are made as its documentation says. */
  readonly program?: { readonly name: string; readonly args: readonly string[] }
  readonly file: string
  readonly config: (backends: readonly Backend[], port: number) => string
  readonly cookie: string
  readonly valueOf: (backend: Backend, index: number) => string
  readonly script?: Script
}

const HAPROXY = { name: 'haproxy', args: ['-db', '-f'] }
const CADDY = { name: 'caddy', args: ['run', '--adapter', 'caddyfile', '--config'] }

function address({ options }: Backend): string {
  return new URL(options.url).host
}

function haproxy(cookie: string): Server['config'] {
  return (backends, port) => `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:${port}
  default_backend web
backend web
  balance roundrobin
  ${cookie}
${backends.map((backend, index) => `  server web${index} ${address(backend)} cookie s.${index}\n`).join('')}`
}

/** nginx with sticky is 1.29.6 or newer. */
function hasSticky(): boolean {
  const program = programPath('nginx')
  if (program === undefined) return false
  const said = spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr
  const [, minor = 0, patch = 0] = (/nginx\/\d+\.(\d+)\.(\d+)/.exec(said) ?? []).map(Number)
  return minor > 29 || (minor === 29 && patch >= 6)
}

/** The application's own cookie, once a session. */
const withSession: Script = exchange =>
  exchange.request.headers.cookie?.includes('SID=') === true
    ? echo(exchange)
    : echoWith(200, { 'Set-Cookie': 'SID=abc' })(exchange)

const SERVERS: Readonly<Record<string, Server>> = {
  'HAProxy, cookie insert': {
    program: HAPROXY,
    file: 'haproxy.cfg',
    config: haproxy('cookie SRV insert indirect nocache maxidle 30m'),
    cookie: 'SRV',
    valueOf: (_backend, index) => `s.${index}|Z${'A'.repeat(4)}`,
  },
  'HAProxy, cookie prefix': {
    program: HAPROXY,
    file: 'haproxy.cfg',
    config: haproxy('cookie SID prefix nocache'),
    cookie: 'SID',
    valueOf: (_backend, index) => `s.${index}~abc`,
    script: withSession,
  },
  nginx: {
    ...(hasSticky() && { program: { name: 'nginx', args: ['-g', 'daemon off;', '-c'] } }),
    file: 'nginx.conf',
    config: (backends, port) => `
events {}
http {
  upstream web { ${backends.map(backend => `server ${address(backend)};`).join(' ')} sticky cookie srv path=/; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; proxy_set_header Host $host; } }
}`,
    cookie: 'srv',
    valueOf: backend => createHash('md5').update(address(backend)).digest('hex'),
  },
  'nginx, with routes': {
    file: 'nginx.conf',
    config: (backends, port) => `
upstream web { ${backends.map((backend, index) => `server ${address(backend)} route=r.${index};`).join(' ')} sticky cookie srv; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; proxy_set_header Host $host; } }`,
    cookie: 'srv',
    valueOf: (_backend, index) => `r.${index}`,
  },
  Traefik: {
    file: 'traefik.yaml',
    config: (backends, port) => `
entryPoints: { web: { address: '127.0.0.1:${port}' } }
http:
  routers: { web: { rule: 'PathPrefix(\`/\`)', service: web } }
  services:
    web:
      loadBalancer:
        sticky: { cookie: { name: lb } }
        servers: [${backends.map(backend => `{ url: 'http://${address(backend)}' }`).join(', ')}]`,
    cookie: 'lb',
    valueOf: backend =>
      createHash('sha256')
        .update(`http://${address(backend)}`)
        .digest('hex')
        .slice(0, 16),
  },
  Caddy: {
    program: CADDY,
    file: 'Caddyfile',
    config: (backends, port) => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy ${backends.map(backend => address(backend)).join(' ')} {
    lb_policy cookie lb ${SECRETS.CADDY_COOKIE_SECRET}
  }
}
`,
    cookie: 'lb',
    valueOf: backend =>
      createHmac('sha256', SECRETS.CADDY_COOKIE_SECRET).update(address(backend)).digest('hex'),
  },
}

interface Session {
  readonly cookie: string
  readonly id: string
}

/** Opened at the server itself. */
async function openedAt(
  { name, args }: { readonly name: string; readonly args: readonly string[] },
  config: string,
  port: number,
): Promise<readonly Session[]> {
  const peer = await startPeer(name, port, args, () => config)
  const sessions: Session[] = []
  for (let count = 0; count < 12; count += 1) {
    const browser = new Browser(port)
    const id = await browser.visit()
    sessions.push({ id, cookie: browser.cookieHeader })
  }
  await peer.stop()
  return sessions
}

/** `limpet from`, and limpet with the file that it has made. */
async function moveIn(file: string, config: string): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-from-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, file)
  writeFileSync(path, config)
  const text = execFileSync(process.execPath, [GATEWAY_PROGRAM, 'from', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return GatewayProcess.start(text.replace(/^listen: .*$/m, 'listen: 127.0.0.1:0'), [], SECRETS)
}

test.each(Object.entries(SERVERS))(
  '%s: no session is lost on the way to limpet',
  async (_, server) => {
    const { program, file, config, cookie, valueOf, script = echo } = server
    const backends = await Promise.all(['a', 'b', 'c'].map(async id => startBackend(id, script)))
    const port = await freePort()
    const text = config(backends, port)
    const isInstalled = program !== undefined && programPath(program.name) !== undefined
    const documented = backends.map((backend, index) => ({
      id: backend.id,
      cookie: `${cookie}=${valueOf(backend, index)}`,
    }))
    const sessions = [...documented, ...(isInstalled ? await openedAt(program, text, port) : [])]
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(3)

    const gateway = await moveIn(file, text)
    for (const session of sessions) {
      const browser = gateway.browser()
      for (const pair of session.cookie.split('; ')) {
        const equals = pair.indexOf('=')
        browser.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
      }
      const first = await browser.ask()
      expect(first.echo.id).toBe(session.id)
      // Its own cookie limpet writes anew, once. One of the application only the application can.
      const written = first.cookies(cookie).map(line => line.startsWith(`${cookie}=v1.`))
      expect(written).toEqual(cookie === 'SID' ? [] : [true])
      for (let visit = 0; visit < 3; visit += 1) {
        const next = await browser.ask()
        expect([next.echo.id, next.cookies(cookie)]).toEqual([session.id, []])
      }
      // The application sees its own value, and no cookie of a load balancer that hid it.
      const seen = backends.find(({ id }) => id === session.id)?.last.lines ?? []
      expect(JSON.stringify(seen)).not.toMatch(/s\.\d[~|]|v1\./)
    }
  },
  30_000,
)
