import { once } from 'node:events'
import { Agent } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import type { Backend } from './backend.ts'
import { Browser } from './browser.ts'
import { joinedValue } from './header-lines.ts'
import { ask, open, readToEnd } from './http-client.ts'
import { openRaw } from './raw-client.ts'
import type { Program } from './readme-program.ts'
import { echoWith } from './scripts.ts'

/** Looks at a gateway that runs; app1 is the backend for 3001, and so on. */
export type GatewayCheck = (program: Program, backends: readonly Backend[]) => Promise<void>

/** Every README's first example: the cookie is set once, holds, and never reaches a backend. */
export const smallestGateway: GatewayCheck = async ({ port }, backends) => {
  const browser = new Browser(port)
  const first = await browser.ask({ headers: { Cookie: 'theme=dark' } })
  expect(first.cookies()).toEqual([
    expect.stringMatching(/^SERVERID=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/),
  ])
  for (let visit = 0; visit < 3; visit += 1) {
    const again = await browser.ask({ headers: { Cookie: `theme=dark; ${browser.cookieHeader}` } })
    expect(again.echo.id).toBe(first.echo.id)
    expect(again.cookies()).toEqual([])
  }
  const backend = backends.find(({ id }) => id === first.echo.id)
  expect(joinedValue(backend?.last.lines ?? [], 'cookie')).toBe('theme=dark')
  expect((await ask(port)).echo.id).not.toBe(first.echo.id)
}

/** The same behind a server of node:http, with its guard and its listener for upgrades. */
export const smallestServer: GatewayCheck = async (program, backends) => {
  const { port } = program
  await smallestGateway(program, backends)
  expect(await statusOf(port, 'bytes that are none\r\n\r\n')).toBe(400)
  expect(await statusOf(port, 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n')).toBe(501)
  // No backend here takes the upgrade, and they say so by an answer to a plain request.
  expect(await statusOf(port, handshake('/'))).toBe(200)
  await Promise.all(backends.map(async backend => backend.refuse()))
  expect((await ask(port)).status).toBe(502)
}

/** A request's head for a WebSocket. */
export function handshake(path: string, ...more: readonly string[]): string {
  const lines = [
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ]
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

async function statusOf(port: number, text: string): Promise<number> {
  const client = await openRaw(port)
  client.write(text)
  await client.until(received => received.includes('\r\n\r\n'))
  return Number(/^HTTP\/1\.1 (\d+)/.exec(client.received)?.[1])
}

/** The receiver of a handshake: the path and the value of Upgrade as that backend saw them. */
async function handshakeAt(
  port: number,
  backend: Backend | undefined,
  path: string,
  ...more: readonly string[]
) {
  const status = await statusOf(port, handshake(path, ...more))
  const seen = backend?.seen.at(-1)
  return [status, seen?.url, joinedValue(seen?.lines ?? [], 'upgrade')]
}

export const largeBodyWithCookie: GatewayCheck = async ({ port }) => {
  const large = await ask(port, { method: 'POST', body: Buffer.alloc(2 * 1024 * 1024) })
  expect(large.echo.bytes).toBe(2 * 1024 * 1024)
  expect(large.cookies('SHOP')).toHaveLength(1)
}

/** Middleware before it runs first. */
export const middlewareFirst: GatewayCheck = async ({ port }, [app1]) => {
  expect((await ask(port, { path: '/cart' })).status).toBe(401)
  expect(app1?.seen).toEqual([])
  const health = await ask(port, { path: '/healthz' })
  expect([health.text, health.cookies()]).toEqual(['{"status":"ok"}', []])
  const body = '{ "a" : 1 }'
  const headers = { Authorization: 'Bearer me', 'Content-Type': 'application/json' }
  const answer = await ask(port, { method: 'POST', path: '/cart', headers, body })
  expect(answer.echo).toMatchObject({ id: 'app1', bytes: body.length })
  expect(answer.header('x-powered-by')).toBe(undefined)
}

export const someRequests: GatewayCheck = async ({ port }) => {
  const shop = await ask(port, { path: '/shop/x?y' })
  expect([shop.echo.url, shop.cookies('SERVERID').length]).toEqual(['/shop/x?y', 1])
  const own = await ask(port, { path: '/own' })
  expect([own.text, own.cookies()]).toEqual(['own', []])
}

/** @param url what becomes of /v1/x */
export function editedRequests(url: string): GatewayCheck {
  return async ({ port }, backends) => {
    const headers = { 'X-User-Id': '1', 'X-Gateway-User': 'mallory', 'X-Debug': '1', 'X-A': '1' }
    const answer = await ask(port, { path: '/v1/x', headers })
    expect(answer.echo.url).toBe(url)
    const lines = backends.find(({ seen }) => seen.length > 0)?.last.lines ?? []
    const names = ['x-user-id', 'x-gateway-user', 'x-debug', 'x-a', 'x-gateway']
    expect(names.map(name => joinedValue(lines, name))).toEqual([undefined, 'alice', undefined, '1', 'shop'])
  }
}

/** Fields of both messages are set, removed and rewritten by options. */
export const rewrittenMessages: GatewayCheck = async ({ port }, backends) => {
  for (const backend of backends)
    backend.script = echoWith(302, {
      'X-Internal': '1',
      'Set-Cookie': 'a=1; Domain=old.example',
      Location: `http://127.0.0.1:${backend.port}/y`,
    })
  const answer = await ask(port, { path: '/x', headers: { Host: 'shop.example' } })
  const names = ['x-url', 'x-internal', 'location']
  expect(names.map(name => answer.header(name))).toEqual(['/x', undefined, 'http://shop.example/y'])
  expect(answer.cookies('a')).toEqual(['a=1; Domain=shop.example'])
  const lines = backends.find(({ seen }) => seen.length > 0)?.last.lines ?? []
  expect(['x-gateway', 'x-method'].map(name => joinedValue(lines, name))).toEqual(['shop', 'GET'])
}

/** Listeners of `on` edit both messages. */
export const listeners: GatewayCheck = async ({ port }, backends) => {
  for (const backend of backends) backend.script = echoWith(200, { 'X-Internal': '1' })
  expect((await ask(port, { path: '/x' })).header('x-internal')).toBe(undefined)
  const lines = backends.find(({ seen }) => seen.length > 0)?.last.lines ?? []
  expect(joinedValue(lines, 'x-url')).toBe('/x')
}

export const shoutedBody: GatewayCheck = async ({ port }) => {
  expect((await ask(port)).text).toContain('"ID":"APP1"')
}

/** An application with a route and a hook of its own: the route answers, and other requests are forwarded. */
export const existingApplication: GatewayCheck = async (program, backends) => {
  const health = await ask(program.port, { path: '/healthz' })
  expect([health.status, health.text, health.header('x-shop')]).toEqual([200, '{"status":"ok"}', 'shop'])
  expect(backends.flatMap(({ seen }) => seen)).toEqual([])
  expect((await ask(program.port)).header('x-shop')).toBe('shop')
  await smallestGateway(program, backends)
}

export const webSockets: GatewayCheck = async ({ port }, [app1]) => {
  expect(await statusOf(port, handshake('/chat/x'))).toBe(401)
  expect(app1?.seen).toEqual([])
  const me = 'Authorization: me'
  expect(await handshakeAt(port, app1, '/chat/x', me)).toEqual([200, '/chat/x', 'websocket'])
  expect(await statusOf(port, handshake('/other', me))).toBe(404)
}

/** app1 is the pool of /shop, app2 that of /api, each with a cookie of its own. */
export const poolsByPath: GatewayCheck = async ({ port }) => {
  for (const [path, id, name] of [
    ['/shop', 'app1', 'SHOP'],
    ['/api', 'app2', 'API'],
  ] as const) {
    const answer = await ask(port, { path: `${path}/x?y=1` })
    expect(answer.echo).toMatchObject({ id, url: `${path}/x?y=1` })
    expect(answer.cookies()).toEqual([expect.stringMatching(new RegExp(`^${name}=.*; Path=${path};`))])
  }
  expect((await ask(port, { path: '/other' })).status).toBe(404)
}

export const twoPools: GatewayCheck = async (program, backends) => {
  const { port } = program
  const [app1, app2] = backends
  await poolsByPath(program, backends)
  expect(await handshakeAt(port, app1, '/shop/ws')).toEqual([200, '/shop/ws', 'websocket'])
  expect(await handshakeAt(port, app2, '/api/ws')).toEqual([200, '/api/ws', 'websocket'])
  expect(await statusOf(port, handshake('/other'))).toBe(404)
}

export const bareUpgrades: GatewayCheck = async ({ port }, [app1]) => {
  expect((await ask(port)).text).toBe('a page')
  for (const path of ['/shop/x', '/chat/x'])
    expect(await handshakeAt(port, app1, path)).toEqual([200, path, 'websocket'])
  expect(await handshakeAt(port, undefined, '/other')).toEqual([200, undefined, undefined])
  expect(app1?.seen).toHaveLength(2)
}

/** JSON with blanks, which a serializer would not reproduce. */
export const keptBody: GatewayCheck = async ({ port }, [app1]) => {
  const body = '{ "a" : 1.0 }'
  const headers = { 'Content-Type': 'application/json' }
  const answer = await ask(port, { method: 'POST', headers, body })
  expect(answer.echo).toMatchObject({ id: 'app1', bytes: body.length })
  expect(app1?.seen).toHaveLength(1)
}

/** The log has the backend of a request. */
export const loggedBackend: GatewayCheck = async program => {
  expect((await ask(program.port)).status).toBe(200)
  await expect
    .poll(() => program.out)
    .toContain('"limpet":{"pool":"default","backend":"app1","status":"none"')
}

/** A header field of the response and a line of the log name the backend. */
export const servedBy: GatewayCheck = async program => {
  const answer = await ask(program.port, { path: '/cart?x' })
  expect(answer.header('x-served-by')).toBe(answer.echo.id)
  await expect
    .poll(() => program.out)
    .toMatch(/^GET \/cart\?x \{"pool":"default","backend":"app1","status":"none","attempts":\[\{.*\}\]/m)
}

export const changedPool: GatewayCheck = async ({ port }) => {
  for (let visit = 0; visit < 3; visit += 1) expect((await ask(port)).echo.id).toBe('app3')
}

export const ownErrors: GatewayCheck = async ({ port }, backends) => {
  await Promise.all(backends.map(async backend => backend.refuse()))
  const answer = await ask(port)
  expect([answer.status, answer.header('cache-control')]).toEqual([502, 'no-store'])
  expect(JSON.parse(answer.text)).toEqual({ code: 'ERR_BACKEND_FAILED' })
}

/** An answer that had begun is finished, for a client that would keep its connection; then the process ends. */
export const gracefulEnd: GatewayCheck = async ({ port, end }, [app1]) => {
  if (app1 === undefined) throw new Error('no backend')
  const begun = Promise.withResolvers<() => void>()
  app1.script = ({ response }) => {
    response.write('first ')
    begun.resolve(() => response.end('and last'))
  }
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const opened = await open(port, { agent })
  await once(opened.message, 'readable')
  const finish = await begun.promise
  const ended = end()
  // It takes no new connection, and open ones go on.
  await expect.poll(async () => ask(port).then(String, () => 'refused'), { timeout: 3_000 }).toBe('refused')
  finish()
  expect(Buffer.concat(await readToEnd(opened)).toString()).toBe('first and last')
  expect(await ended).toBe(0)
}
