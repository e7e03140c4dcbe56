import { expect } from 'vitest'
import { COMING_FROM } from './coming-from-checks.ts'
import { joinedValue } from './header-lines.ts'
import { ask } from './http-client.ts'
import * as checks from './readme-checks.ts'

interface Check {
  /** Continues the block. */
  readonly tail?: string
  /** Looks at it while it runs, or at what it printed. */
  readonly check?: checks.GatewayCheck
}

const PRINTS: Check = {}

/** By where the block stands. */
export const CHECKS: Readonly<Record<string, Check>> = {
  ...COMING_FROM,

  'limpet 1': { check: checks.smallestGateway },
  'site index In your own application 1': { check: checks.smallestGateway },

  'packages/http-proxy Write an adapter 1': {
    tail: `
      const gateway = limpet({ secrets: [process.env.LIMPET_SECRET!], backends: [{ id: 'app1', url: 'http://127.0.0.1:3001' }] })
      console.log(typeof gateway, typeof gateway.upgrade) // function function
      gateway.close()`,
  },
  'packages/core Smallest example 1': PRINTS,
  'packages/core Options 1': {
    tail: `
      import { type Affinity, type Lease, requestHead } from '@limpet/core'
      async function asked(affinity: Affinity, sent: Record<string, string>, answer = {}) {
        const headers = { host: 'a', ...sent }
        const rawHeaders = Object.entries(headers).flat()
        const lease: Lease = await affinity.select(requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} }))
        lease.responded({ statusCode: 200, headers: answer })
        await new Promise(setImmediate)
        return lease.status
      }
      await asked(byId, {}, { 'set-cookie': ['JSESSIONID=1A2B; Path=/'] })
      console.log(await asked(byId, { cookie: 'JSESSIONID=1A2B' })) // matched
      await asked(everywhere, {}, { 'mcp-session-id': '1A2B' })
      console.log(await asked(everywhere, { 'mcp-session-id': '1A2B' })) // matched
      console.log([...sessions.keys()].includes('1A2B')) // false`,
  },
  'packages/core Options 2': PRINTS,
  'packages/core Options 3': PRINTS,
  'packages/core Balancers 1': PRINTS,
  'packages/core Another source 1': {
    tail: `
      globalThis.fetch = async () => Response.json([{ id: 'app9', url: 'http://10.0.0.9:8080' }])
      const discovering = createHttpProxy({ secrets: [process.env.LIMPET_SECRET!], discovery: registry })
      const { pool } = discovering.affinity
      await new Promise<void>(resolve => { pool.watch(resolve) })
      console.log(pool.backends.map(({ backend }) => backend.id)) // [ 'app9' ]
      discovering.close()`,
  },
  'packages/core Figures 1': PRINTS,
  'packages/core Explaining a request 1': PRINTS,
  'packages/core Explaining a request 2': PRINTS,
  'packages/core Pinning a request to a backend 1': PRINTS,
  'packages/core Errors 1': {
    tail: `
      const theirs = Object.assign(new Error(), { code: 'ERR_NO_BACKEND', statusCode: 503 })
      console.log(statusOf(theirs), statusOf(new Error())) // 503 500`,
  },
  'packages/core Errors 2': {
    tail: `
      import { NoBackendError, RefusedRequestError } from '@limpet/core/adapter'
      console.log(logLine(new NoBackendError())) // ERR_NO_BACKEND
      console.log(logLine(new RefusedRequestError(400, 'host', 'Host is missing'))) // refused: host
      console.log(logLine(new Error('x'))) // Error: x`,
  },
  'packages/core Events 1': {
    tail: `
      import { createAffinity, type Lease, requestHead } from '@limpet/core'
      const secrets = [process.env.LIMPET_SECRET!]
      const backends = [{ id: 'app1', url: 'http://127.0.0.1:3001' }]
      const message = { method: 'GET', url: '/', httpVersion: '1.1', headers: { host: 'a' }, rawHeaders: ['Host', 'a'], socket: {} }
      const lease: Lease = await createAffinity({ secrets, backends }).select(requestHead(message))
      lease.failed({ kind: 'unreached', slow: false, cause: undefined })
      lease.next({ kind: 'unreached', slow: false, cause: undefined })
      console.log('that was all') // default: app1 unreached (GET /)`,
  },
  'packages/core Changing a pool while it is used 1': PRINTS,
  'packages/core Changing a pool while it is used 2': PRINTS,
  'packages/core Changing a pool while it is used 3': PRINTS,
  'packages/core Several pools 1': PRINTS,
  'packages/core Options of a package of your own 1': PRINTS,
  'packages/core A policy or a balancer of your own 2': {
    tail: `
      import { type Lease, requestHead } from '@limpet/core'
      async function asked(claims: object) {
        const token = Buffer.from(JSON.stringify(claims)).toString('base64url')
        const headers = { host: 'a', authorization: 'Bearer e30.' + token + '.c2ln' }
        const rawHeaders = Object.entries(headers).flat()
        const lease: Lease = await perTenant.select(requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} }))
        lease.responded({ statusCode: 200, headers: {} })
        return [lease.backend.id, lease.status].join(' ')
      }
      console.log(await asked({ tenant: 'acme' })) // app1 none
      console.log(await asked({ tenant: 'initech' })) // app2 none
      console.log(await asked({ tenant: 'acme' })) // app1 matched
      console.log(await asked({ tenant: 'initech' })) // app2 matched
      console.log(await asked({ sub: 'guest' })) // app1 none`,
  },
  'packages/core A policy or a balancer of your own 1': {
    tail: `
      import { type Affinity, type Lease, requestHead } from '@limpet/core'
      const [OLD, NEW] = ['the older secret of 32 bytes or more', 'the newest one, also of 32 bytes or more']
      async function asked(affinity: Affinity, pin?: string) {
        const headers = { host: 'a', ...(pin !== undefined && { 'x-pin': pin }) }
        const rawHeaders = Object.entries(headers).flat()
        const lease: Lease = await affinity.select(requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} }))
        const forwarded = lease.requestLines().includes('x-pin')
        return { at: lease.backend.id, status: lease.status, forwarded, pin: lease.responded({ statusCode: 200, headers: {} })['x-pin'] as string }
      }
      function line({ at, status, forwarded, pin }: Awaited<ReturnType<typeof asked>>) {
        return [at, status, forwarded ? 'forwarded' : 'stripped', pin === undefined ? 'no news' : 'new pin'].join(', ')
      }
      const before = pinned(OLD)
      const first = await asked(before)
      console.log(line(first)) // app1, none, stripped, new pin
      console.log(line(await asked(before, first.pin))) // app1, matched, stripped, no news
      before.pool.setState('app1', 'drain')
      console.log(line(await asked(before, first.pin))) // app1, matched, stripped, no news
      const moved = await asked(before)
      console.log(line(moved)) // app2, none, stripped, new pin
      console.log(line(await asked(before, 'app2'))) // app2, invalid, stripped, new pin
      const rotated = pinned(NEW, OLD)
      const renewed = await asked(rotated, moved.pin)
      console.log(line(renewed)) // app2, matched, stripped, new pin
      console.log(line(await asked(pinned(NEW), renewed.pin))) // app2, matched, stripped, no news
      console.log(line(await asked(pinned(NEW), moved.pin))) // app1, invalid, stripped, new pin`,
  },

  'packages/express Into an existing application 1': { check: checks.existingApplication },
  'packages/express Smallest example 1': { check: checks.smallestServer },
  'packages/express Options 1': { check: checks.largeBodyWithCookie },
  'packages/express The app around it 1': { check: checks.middlewareFirst },
  'packages/express Edited requests 1': { check: checks.editedRequests('/v2/x') },
  'packages/express Rewriting messages 1': { check: checks.rewrittenMessages },
  'packages/express Listeners 1': { check: checks.listeners },
  'packages/express Listeners 2': { check: checks.shoutedBody },
  'packages/express Only some requests 1': { check: checks.someRequests },
  'packages/express WebSockets 1': { check: checks.webSockets },
  'packages/express Body parsers 1': { check: checks.keptBody },
  'packages/express Draining and changing backends 1': { check: checks.changedPool },
  'packages/express Several pools 1': { check: checks.twoPools },
  'packages/express Which backend responded? 1': { check: checks.servedBy },
  'packages/express Which backend responded? 2': { check: checks.loggedBackend },
  'packages/express Errors 1': { check: checks.ownErrors },
  'packages/express Closing 1': { check: checks.gracefulEnd },

  'packages/koa Into an existing application 1': { check: checks.existingApplication },
  'packages/koa Smallest example 1': { check: checks.smallestServer },
  'packages/koa Options 1': { check: checks.largeBodyWithCookie },
  'packages/koa The app around it 1': {
    async check(program, backends) {
      await checks.middlewareFirst(program, backends)
      const answer = await ask(program.port, { headers: { Authorization: 'Bearer me' } })
      expect(answer.header('x-gateway')).toBe('answered 200')
    },
  },
  'packages/koa Edited requests 1': { check: checks.editedRequests('/v2/x') },
  'packages/koa Rewriting messages 1': { check: checks.rewrittenMessages },
  'packages/koa Listeners 1': { check: checks.listeners },
  'packages/koa Listeners 2': { check: checks.shoutedBody },
  'packages/koa Only some requests 1': { check: checks.someRequests },
  'packages/koa WebSockets 1': { check: checks.webSockets },
  'packages/koa Body parsers 1': { check: checks.keptBody },
  'packages/koa Draining and changing backends 1': { check: checks.changedPool },
  'packages/koa Several pools 1': { check: checks.twoPools },
  'packages/koa Which backend responded? 1': { check: checks.servedBy },
  'packages/koa Which backend responded? 2': { check: checks.loggedBackend },
  'packages/koa Errors 1': { check: checks.ownErrors },
  'packages/koa Closing 1': { check: checks.gracefulEnd },

  'packages/http-proxy Smallest example 1': { check: checks.smallestServer },
  'packages/http-proxy Options 1': PRINTS,
  'packages/http-proxy Which backend responded? 1': { check: checks.servedBy },
  'packages/http-proxy Rewriting messages 1': {
    tail: 'rewriting.close()\nconsole.log(rewriting.affinity.pool.name) // default',
  },
  'packages/http-proxy Listeners 1': {
    tail: 'listening.close()\nconsole.log(listening.affinity.pool.name) // default',
  },
  'packages/http-proxy Listeners 2': {
    tail: 'shouting.close()\nconsole.log(shouting.affinity.pool.name) // default',
  },
  'packages/http-proxy WebSockets 1': { check: checks.bareUpgrades },
  'packages/http-proxy Body parsers 1': { check: checks.keptBody },
  'packages/http-proxy Draining and changing backends 1': PRINTS,

  'packages/redis Commands of operators 1': { tail: 'drain.cancel()\nfleet.close()' },
  'packages/redis Smallest example 1': {
    // Whether or not there is a Redis: it may be away.
    tail: `
      import { type Lease, requestHead } from '@limpet/core'
      async function asked(sent: Record<string, string>, answer: Record<string, string>) {
        const headers = { host: 'a', ...sent }
        const rawHeaders = Object.entries(headers).flat()
        const lease: Lease = await affinity.select(requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} }))
        lease.responded({ statusCode: 200, headers: answer })
        return [lease.backend.id, lease.status].join(' ')
      }
      const id = crypto.randomUUID()
      console.log(await asked({}, { 'mcp-session-id': id })) // app1 none
      console.log(await asked({ 'mcp-session-id': id }, {})) // app1 matched
      await store.close()`,
  },

  'packages/fastify Into an existing application 1': { check: checks.existingApplication },
  'packages/fastify Smallest example 1': { check: checks.smallestGateway },
  'packages/fastify Options 1': { check: checks.largeBodyWithCookie },
  'packages/fastify The app around it 1': {
    async check({ port }, [app1]) {
      const headers = { Authorization: 'Bearer me' }
      expect((await ask(port)).status).toBe(401)
      expect(app1?.seen).toEqual([])
      expect((await ask(port, { path: '/healthz', headers })).text).toBe('{"status":"ok"}')
      const body = '{ "a" : 1 }'
      const json = { ...headers, 'Content-Type': 'application/json' }
      const answer = await ask(port, { method: 'POST', path: '/other', headers: json, body })
      expect(answer.echo).toMatchObject({ id: 'app1', bytes: body.length })
    },
  },
  'packages/fastify Edited requests 1': { check: checks.editedRequests('/v1/x') },
  'packages/fastify Rewriting messages 1': {
    async check({ port }, [app1]) {
      const answer = await ask(port, { path: '/api/x?y' })
      expect(answer.echo).toMatchObject({ id: 'app1', url: '/v1/x?y' })
      expect(joinedValue(app1?.last.lines ?? [], 'x-request-id')).toBe('req-1')
    },
  },
  'packages/fastify Which backend responded 1': {
    async check({ port }) {
      expect((await ask(port)).header('x-backend')).toBe('app1')
    },
  },
  'packages/fastify Which backend responded 2': { check: checks.loggedBackend },
  'packages/fastify Only some routes 1': {
    async check({ port }) {
      const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{ "a" : 1 }' }
      const forwarded = await ask(port, { ...json, path: '/app/x' })
      expect(forwarded.echo).toMatchObject({ id: 'app1', url: '/app/x', bytes: json.body.length })
      expect(forwarded.cookies('SERVERID')).toHaveLength(1)
      expect((await ask(port, { ...json, path: '/own' })).text).toBe('{"parsed":{"a":1}}')
      expect((await ask(port, { path: '/elsewhere' })).status).toBe(404)
    },
  },
  'packages/fastify Draining and changing backends 1': {
    tail: `
      console.log(pool.backends.map(({ backend }) => backend.id).join(' ')) // app2 app3`,
    async check({ port }) {
      const ids = [await ask(port), await ask(port), await ask(port), await ask(port)].map(
        answer => answer.echo.id,
      )
      expect(new Set(ids)).toEqual(new Set(['app2', 'app3']))
    },
  },
  'packages/fastify Several pools 1': { check: checks.poolsByPath },
  'packages/fastify TLS to backends 1': {
    async check({ port }) {
      const answer = await ask(port)
      expect(answer.status).toBe(200)
      expect(answer.echo.id).toMatch(/^tls/)
    },
  },
  'packages/fastify Behind another proxy 1': {
    async check({ port }, [app1]) {
      const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }
      const [line = ''] = (await ask(port, { headers })).cookies('SERVERID')
      expect(line).toContain('; Secure')
      expect(joinedValue(app1?.last.lines ?? [], 'x-forwarded-for')).toBe('192.0.2.7, 127.0.0.1')
    },
  },
  'packages/fastify Errors 1': {
    async check({ port }, backends) {
      await Promise.all(backends.map(async backend => backend.refuse()))
      const answer = await ask(port)
      expect([answer.status, answer.header('cache-control')]).toEqual([502, 'no-store'])
      expect(JSON.parse(answer.text)).toEqual({ code: 'ERR_BACKEND_FAILED', request: 'req-1' })
    },
  },
  'packages/fastify Events 1': {
    async check(program) {
      await ask(program.port, { headers: { Cookie: 'SERVERID=forged' } })
      expect(program.out).toBe('default: a session of app1 now: invalid\n')
    },
  },

  'packages/metrics Smallest example 1': {
    async check({ port }) {
      expect((await ask(port)).echo.id).toBe('app1')
      const { text } = await ask(port, { path: '/metrics' })
      expect(text).toContain('limpet_requests_total{pool="default",backend="app1",code="2xx"} 1\n')
    },
  },
  'packages/metrics Smallest example 2': PRINTS,
  // test/metrics collects with a real reader.
  'packages/metrics OpenTelemetry 1': { tail: `end()\nconsole.log('ended') // ended` },

  'packages/stats Smallest example 1': {
    async check({ port }) {
      expect((await ask(port)).echo.id).toBe('app1')
      const csv = await ask(port, { path: '/internal/stats.csv' })
      expect([csv.header('content-type'), csv.text.split('\n')[2]]).toEqual([
        'text/plain; charset=utf-8',
        expect.stringMatching(/^default,app1,/),
      ])
      const { backends } = JSON.parse((await ask(port, { path: '/internal/stats.json' })).text)
      expect(backends[0]).toMatchObject({ id: 'app1', requests: 1, responseTimes: { count: 1 } })
    },
  },

  'packages/stats The stats page 1': {
    async check({ port }) {
      expect((await ask(port)).echo.id).toBe('app1')
      const { text } = await ask(port, { path: '/limpet' })
      expect(text).toContain('<tr id="b-default-app1">')
    },
  },
  'packages/stats The stats page 2': {
    tail: `
      import { once } from 'node:events'
      import { createServer } from 'node:http'
      import type { AddressInfo } from 'node:net'
      const server = createServer((request, response) => page(request, response)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = 'http://127.0.0.1:' + (server.address() as AddressInfo).port
      const headers = { authorization: 'Basic ' + Buffer.from('ops:a long password').toString('base64') }
      console.log((await fetch(url)).status, (await fetch(url, { headers })).status) // 403 200
      server.close()`,
  },

  'packages/kubernetes Smallest example 1': {
    check: async ({ port }) => {
      // Not in a cluster: it waits for a backend, and says that there is none.
      expect((await ask(port)).status).toBe(503)
    },
  },
}
