import { expect } from 'vitest'
import type { Backend } from './backend.ts'
import { joinedValue } from './header-lines.ts'
import { ask, type Asked } from './http-client.ts'
import { openRaw } from './raw-client.ts'
import { type GatewayCheck, handshake, smallestGateway } from './readme-checks.ts'
import { bare, closeBeforeHead, echo, echoWith, hang } from './scripts.ts'

/*
 * The pages for users of another proxy: by section, the one check that the program before and the program after pass.
 */

/** The value of a field in the last request of a backend. */
function fieldAt(backend: Backend | undefined, name: string): string | undefined {
  return joinedValue(backend?.last.lines ?? [], name)
}

/** A request of the client, and its target at app1. */
function forwards(path: string, url = path): GatewayCheck {
  return async ({ port }) => {
    expect((await ask(port, { path })).echo).toMatchObject({ id: 'app1', url })
  }
}

const backendsHost: GatewayCheck = async ({ port }, [app1]) => {
  expect((await ask(port, { path: '/x?y=1' })).echo).toMatchObject({ id: 'app1', url: '/x?y=1' })
  expect(fieldAt(app1, 'host')).toBe(`127.0.0.1:${app1?.port}`)
}

const opensWebSocket: GatewayCheck = async ({ port }, [app1]) => {
  const client = await openRaw(port)
  client.write(handshake('/chat?room=1'))
  await expect.poll(() => app1?.seen.at(-1)?.url).toBe('/chat?room=1')
  expect(fieldAt(app1, 'upgrade')).toBe('websocket')
}

const timesOut: GatewayCheck = async ({ port }, backends) => {
  for (const backend of backends) backend.script = hang
  expect((await ask(port)).status).toBe(504)
}

function getsAway(status: number): GatewayCheck {
  return async ({ port }, backends) => {
    await Promise.all(backends.map(async backend => backend.refuse()))
    const answer = await ask(port)
    expect([answer.status, answer.text]).toEqual([status, '{"error":"The shop is away."}'])
  }
}

/** By section of `packages/fastify/COMING-FROM-HTTP-PROXY.md`. */
const HTTP_PROXY: Readonly<Record<string, GatewayCheck>> = {
  'Plain proxy': backendsHost,
  'Removed prefix': forwards('/api/x?y=1', '/x?y=1'),
  'Replaced prefix': forwards('/api/x?y=1', '/v1/x?y=1'),
  async 'Request headers'({ port }, [app1]) {
    await ask(port)
    expect(fieldAt(app1, 'x-request-id')).toBe('req-1')
  },
  async 'Response headers'({ port }) {
    expect((await ask(port)).header('x-gateway')).toBe('shop')
  },
  async Authentication({ port }, [app1]) {
    expect((await ask(port)).status).toBe(401)
    expect(app1?.seen).toEqual([])
    expect((await ask(port, { headers: { Authorization: 'Bearer me' } })).echo.id).toBe('app1')
  },
  async 'Methods and constraints'({ port }) {
    const status = async (method: string, host: string) =>
      (await ask(port, { method, headers: { Host: host } })).status
    expect(await status('GET', 'shop.example')).toBe(200)
    expect(await status('DELETE', 'shop.example')).toBe(404)
    expect(await status('GET', 'other.example')).toBe(404)
  },
  Handshakes: opensWebSocket,
  async 'Several upstreams'(program, backends) {
    // The program before takes its own cookie, and the program after sets one.
    const first = await ask(program.port)
    if (first.cookies('SERVERID').length > 0) return smallestGateway(program, backends)
    for (const [Cookie, id] of [
      ['node=1', 'app1'],
      ['node=2', 'app2'],
    ] as const)
      expect((await ask(program.port, { headers: { Cookie } })).echo.id).toBe(id)
  },
  Timeouts: timesOut,
  async Retries({ port }, [app1]) {
    if (app1 === undefined) throw new Error('no backend')
    app1.script = exchange => {
      app1.script = echo
      return closeBeforeHead(exchange)
    }
    expect((await ask(port)).status).toBe(200)
    expect(app1.script).toBe(echo)
  },
  async 'Large bodies'({ port }) {
    const body = Buffer.alloc(2 * 1024 * 1024)
    const headers = { 'Content-Type': 'application/octet-stream' }
    expect((await ask(port, { method: 'POST', headers, body })).echo.bytes).toBe(body.length)
  },
  async 'Own replies'(program, backends) {
    const answer = await ask(program.port)
    expect([answer.echo.id, answer.header('x-gateway')]).toEqual(['app1', 'shop'])
    await getsAway(502)(program, backends)
  },
}

/** By section of `packages/express/COMING-FROM-HTTP-PROXY-MIDDLEWARE.md`. */
const HTTP_PROXY_MIDDLEWARE: Readonly<Record<string, GatewayCheck>> = {
  'Plain proxy': forwards('/x?y=1'),
  'Mount path': forwards('/api/x?y=1', '/x?y=1'),
  'Rules of pathRewrite': forwards('/old/x?y=1', '/new/x?y=1'),
  'Function of pathRewrite': forwards('/old/x?y=1', '/new/x?y=1'),
  changeOrigin: backendsHost,
  async pathFilter({ port }) {
    expect((await ask(port, { path: '/api/x' })).echo).toMatchObject({ id: 'app1', url: '/api/x' })
    expect((await ask(port, { path: '/other' })).status).toBe(404)
  },
  Handshakes: opensWebSocket,
  async 'Request headers'({ port }, [app1]) {
    await ask(port)
    expect(fieldAt(app1, 'x-gateway')).toBe('shop')
  },
  async 'Request headers by function'({ port }, [app1]) {
    await ask(port, { path: '/x', headers: { 'X-User': 'mallory' } })
    expect([fieldAt(app1, 'x-url'), fieldAt(app1, 'x-user')]).toEqual(['/x', undefined])
  },
  async 'Headers of handshakes'({ port }, [app1]) {
    const client = await openRaw(port)
    client.write(handshake('/chat'))
    await expect.poll(() => app1?.seen.length).toBe(1)
    expect(fieldAt(app1, 'x-gateway')).toBe('shop')
  },
  async 'Response headers'({ port }, [app1]) {
    if (app1 !== undefined) app1.script = echoWith(200, { 'X-Internal': '1' })
    const answer = await ask(port)
    expect([answer.header('x-gateway'), answer.header('x-internal')]).toEqual(['shop', undefined])
  },
  async 'Changed bodies'({ port }) {
    expect((await ask(port)).echo.id).toBe('shop')
  },
  async 'Cookies of backends'({ port }, [app1]) {
    if (app1 !== undefined)
      app1.script = echoWith(200, { 'Set-Cookie': 'a=1; Domain=old.example; Path=/old/' })
    expect((await ask(port)).cookies('a')).toEqual(['a=1; Domain=shop.example; Path=/new/'])
  },
  async Redirects({ port }, [app1]) {
    if (app1 !== undefined)
      app1.script = bare(302, { Location: `http://127.0.0.1:${app1.port}/x`, 'Content-Length': 0 })
    const answer = await ask(port, { headers: { Host: 'shop.example:8080' } })
    expect(answer.header('location')).toBe('http://shop.example:8080/x')
  },
  async 'Parsed bodies'({ port }) {
    const asked: Asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' }
    expect((await ask(port, asked)).echo).toMatchObject({ id: 'app1', bytes: 7 })
  },
  Errors: getsAway(502),
  Timeouts: timesOut,
  async Certificates({ port }) {
    expect((await ask(port)).echo.id).toBe('tls1')
  },
  async 'Several targets'({ port }) {
    expect((await ask(port, { path: '/x' })).echo.id).toBe('app1')
    expect((await ask(port, { path: '/api/x' })).echo).toMatchObject({ id: 'app2', url: '/api/x' })
  },
  async Logs(program) {
    expect((await ask(program.port)).echo.id).toBe('app1')
    await expect.poll(() => program.out).toMatch(/127\.0\.0\.1|app2/)
  },
  async 'Forwarded fields'({ port }, [app1]) {
    await ask(port)
    expect(fieldAt(app1, 'x-forwarded-for')).toMatch(/127\.0\.0\.1$/)
    expect(fieldAt(app1, 'x-forwarded-proto')).toBe('http')
  },
}

/** By where the block stands: the first of a section is the program before, the second the one after. */
export const COMING_FROM = Object.fromEntries([
  ...bySnippet('packages/fastify COMING-FROM-HTTP-PROXY', HTTP_PROXY),
  ...bySnippet('packages/express COMING-FROM-HTTP-PROXY-MIDDLEWARE', HTTP_PROXY_MIDDLEWARE),
])

function bySnippet(page: string, checks: Readonly<Record<string, GatewayCheck>>) {
  return Object.entries(checks).flatMap(([section, check]) =>
    [1, 2].map(count => [`${page} ${section} ${count}`, { check }] as const),
  )
}
