import { globSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import type { Asked } from '../support/http-client.ts'
import { echo } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

/** The configurations of examples/configs do what they say, at other addresses. */

const FOLDER = fileURLToPath(new URL('../../examples/configs/', import.meta.url))
const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

interface Running {
  readonly gateway: GatewayProcess
  readonly backends: readonly Backend[]
}

/** Starts it with a backend of ours for each of its own, who is called as it is, and checks every 50 ms. */
async function start(
  name: string,
  create = async (id: string): Promise<Backend> => startBackend(id),
): Promise<Running> {
  const text = readFileSync(`${FOLDER}${name}`, 'utf8')
  const rows = [...text.matchAll(/id: ([\w-]+), url: ["'](http:\/\/[\d.:]+)["']/g)]
  const backends = await Promise.all(rows.map(async ([, id = '']) => create(id)))
  const moved = rows.reduce(
    (file, [, , url = ''], index) => file.replace(url, String(backends[index]?.options.url)),
    text,
  )
  const local = moved
    .replace(/listen: 0\.0\.0\.0:80$/m, 'listen: 127.0.0.1:0')
    .replace('host: 0.0.0.0', 'host: 127.0.0.1')
    .replace('port: 443', 'port: 0')
    .replace('127.0.0.1:8404', '127.0.0.1:0')
    .replace('/etc/limpet/cert.pem', `${TLS}certificate.pem`)
    .replace('/etc/limpet/key.pem', `${TLS}key.pem`)
    .replaceAll('interval: 5s', 'interval: 50ms')
    .replaceAll('timeout: 10s', 'timeout: 100ms')
  const gateway = await GatewayProcess.start(local, [], { LIMPET_SECRET: SECRET })
  return { gateway, backends }
}

/** The backend that responds, each time. */
async function homes({ gateway }: Running, asked: Asked, times = 4): Promise<readonly string[]> {
  const ids = new Set<string>()
  for (let time = 0; time < times; time += 1) ids.add((await gateway.ask(asked)).echo.id)
  return [...ids]
}

/** The receivers of `count` requests of one client that are all in flight at one time. */
async function crowd({ gateway, backends }: Running, count: number): Promise<readonly string[]> {
  const waiting: (() => void)[] = []
  for (const backend of backends)
    backend.script = async exchange => {
      const arrived = Promise.withResolvers<void>()
      waiting.push(arrived.resolve)
      if (waiting.length === count) for (const resolve of waiting) resolve()
      await arrived.promise
      await echo(exchange)
    }
  const asked = await Promise.all(Array.from({ length: count }, async () => gateway.ask()))
  for (const backend of backends) backend.script = echo
  return asked.map(response => response.echo.id)
}

async function expectSticky({ gateway }: Running, cookie: string): Promise<string> {
  const browser = gateway.browser()
  const first = await browser.ask()
  const [line = ''] = first.cookies(cookie)
  for (let visit = 0; visit < 4; visit += 1) expect(await browser.visit()).toBe(first.echo.id)
  const others = await homes({ gateway, backends: [] }, {}, 6)
  expect(others.length).toBeGreaterThan(1)
  return line
}

const { web } = upgradeClients()

const CHECKS: Readonly<Record<string, () => Promise<void>>> = {
  async 'cookie.yaml'() {
    const running = await start('cookie.yaml')
    const line = await expectSticky(running, 'SERVERID')
    expect(line).toMatch(/; Max-Age=3600; .*Path=\/; HttpOnly|; Path=\/; .*HttpOnly/)
    expect(running.backends.every(({ last }) => !/SERVERID/.test(JSON.stringify(last.lines)))).toBe(true)
  },
  async 'cookie-domain.yaml'() {
    expect(await expectSticky(await start('cookie-domain.yaml'), 'srv_id')).toMatch(/; Domain=example\.com/i)
  },
  async 'cookie-idle.yaml'() {
    expect(await expectSticky(await start('cookie-idle.yaml'), 'SERVERID')).toContain('; Max-Age=3600')
  },
  async 'cookie-hash.yaml'() {
    const running = await start('cookie-hash.yaml')
    const { gateway, backends } = running
    const browser = gateway.browser()
    const home = await browser.visit()
    expect(await homes(running, {})).toEqual([home])
    await backends.find(({ id }) => id === home)?.refuse()
    const next = await browser.visit()
    expect(await homes(running, {})).toEqual([next])
    // The address alone would take the session back; the cookie keeps it.
    await backends.find(({ id }) => id === home)?.listen()
    await expect.poll(async () => (await gateway.ask()).echo.id).toBe(home)
    expect(await browser.visit()).toBe(next)
  },
  async 'ip-hash.yaml'() {
    expect(await homes(await start('ip-hash.yaml'), {})).toHaveLength(1)
  },
  async 'source-hash.yaml'() {
    const running = await start('source-hash.yaml')
    const [home] = await homes(running, {})
    expect(await homes(running, {})).toEqual([home])
    // A crowd behind one address stays together: many at one time have the same backend, too.
    const together = await crowd(running, 12)
    expect(new Set(together)).toEqual(new Set([home]))
    await running.backends.find(({ id }) => id === home)?.refuse()
    expect(await homes(running, {})).not.toContain(home)
  },
  async 'learn.yaml'() {
    const { gateway } = await start('learn.yaml', async id =>
      startBackend(id, async exchange => {
        if (exchange.request.url === '/login')
          exchange.response.setHeader('Set-Cookie', `JSESSIONID=of-${id}`)
        await echo(exchange)
      }),
    )
    const browser = gateway.browser()
    const home = await browser.visit('/login')
    expect(browser.cookies.get('JSESSIONID')).toBe(`of-${home}`)
    for (let visit = 0; visit < 4; visit += 1) expect(await browser.visit()).toBe(home)
  },
  async 'prefix.yaml'() {
    const { gateway, backends } = await start('prefix.yaml', async id =>
      startBackend(id, async exchange => {
        if (exchange.request.url === '/login') exchange.response.setHeader('Set-Cookie', 'JSESSIONID=abc')
        await echo(exchange)
      }),
    )
    const browser = gateway.browser()
    const home = await browser.visit('/login')
    expect(browser.cookies.get('JSESSIONID')).toMatch(/~abc$/)
    for (let visit = 0; visit < 4; visit += 1) expect(await browser.visit()).toBe(home)
    expect(backends.find(({ id }) => id === home)?.last.lines).toContainEqual(['Cookie', 'JSESSIONID=abc'])
    await backends.find(({ id }) => id === home)?.refuse()
    // The application does not renew the cookie: the mark is an old one, and the session stays together.
    const next = await browser.visit()
    expect(next).not.toBe(home)
    for (let visit = 0; visit < 4; visit += 1) expect(await browser.visit()).toBe(next)
  },
  async 'header-hash.yaml'() {
    const running = await start('header-hash.yaml')
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
    const all = await Promise.all(keys.map(async key => homes(running, { headers: { 'X-API-Key': key } })))
    expect(all.map(({ length }) => length)).toEqual(keys.map(() => 1))
    expect(new Set(all.flat()).size).toBe(3)
  },
  async 'websocket.yaml'() {
    const { gateway } = await start('websocket.yaml', async id =>
      startTunnelBackend(
        id,
        webSocketServer(socket => socket.on('message', () => socket.send(id))),
      ),
    )
    const [one, other] = [
      await web(gateway.port, { path: '/ws' }),
      await web(gateway.port, { path: '/ws/x' }),
    ]
    expect((await one.ask('?')).toString()).toBe((await other.ask('?')).toString())
    expect((await gateway.ask()).status).toBe(404)
  },
  async 'failover.yaml'() {
    const { gateway, backends } = await start('failover.yaml')
    const browser = gateway.browser()
    const home = await browser.visit()
    const sick = backends.find(({ id }) => id === home)
    if (sick !== undefined) sick.script = ({ response }) => void response.writeHead(500).end()
    expect(await gateway.logged('health_changed')).toMatchObject({ backend: home, healthy: false })
    const moved = await browser.visit()
    expect(moved).not.toBe(home)
    if (sick !== undefined) sick.script = echo
    expect(await gateway.logged('health_changed', 2)).toMatchObject({ backend: home, healthy: true })
    expect(await browser.visit()).toBe(moved)
  },
  async 'production-nginx.yaml'() {
    const { gateway, backends } = await start('production-nginx.yaml')
    const asked = await askSecurely(gateway.port)
    expect(asked.headers['set-cookie']?.[0]).toMatch(/^SERVERID=.*; HttpOnly.*; Secure/)
    expect(asked.id).not.toBe('spare')
    for (const backend of backends.slice(0, 3)) await backend.refuse()
    expect((await askSecurely(gateway.port)).id).toBe('spare')
    expect(await healthOf(gateway.port)).toBe(200)
    expect((await gateway.admin('GET', '/healthz')).status).toBe(200)
  },
  async 'production-haproxy.yaml'() {
    const { gateway } = await start('production-haproxy.yaml')
    const site = await askSecurely(gateway.port)
    expect([site.id.slice(0, 3), site.headers['strict-transport-security']]).toEqual([
      'web',
      'max-age=31536000',
    ])
    expect(site.headers['set-cookie']?.[0]).toMatch(/^SERVERID=.*; Secure/)
    const apis = await Promise.all([1, 2, 3].map(async () => askSecurely(gateway.port, '/api/x')))
    expect(new Set(apis.map(({ id }) => id)).size).toBe(1)
    expect([apis[0]?.id.slice(0, 3), apis[0]?.headers['set-cookie']]).toEqual(['api', undefined])
  },
}

/** The status of the path that the gateway answers itself. */
async function healthOf(port: number): Promise<number | undefined> {
  const options = { host: '127.0.0.1', port, path: '/health', rejectUnauthorized: false, agent: false }
  const sent = secureRequest(options).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

async function askSecurely(port: number, path = '/'): Promise<{ id: string; headers: IncomingHttpHeaders }> {
  const sent = secureRequest({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const { id } = (await json(response)) as { id: string }
  return { id, headers: response.headers }
}

describe('a configuration', () => {
  test('of each is checked, and listed', () => {
    const files = globSync('*.yaml', { cwd: FOLDER }).toSorted()
    expect(Object.keys(CHECKS).toSorted()).toEqual(files)
    const listed = readFileSync(`${FOLDER}README.md`, 'utf8').matchAll(/^\| \[([\w-]+\.yaml)\]/gm)
    expect(new Set([...listed].map(([, name]) => name))).toEqual(new Set(files))
  })

  test.each(Object.entries(CHECKS))('%s does what it says', async (_name, check) => {
    await check()
  })
})
