import { AsyncLocalStorage } from 'node:async_hooks'
import { Transform } from 'node:stream'
import fastifyRequestContext, { requestContext } from '@fastify/request-context'
import { acceptAnyBody, limpet } from '@limpet/fastify'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { echo, resetBeforeHead } from '../support/scripts.ts'

declare module '@fastify/request-context' {
  interface RequestContextData {
    user: string
  }
}

const USERS = ['alice', 'bob', 'carol']

type Mount = (app: FastifyInstance, options: ReturnType<typeof poolOf>) => Promise<void>

/** Both ways of forwarding. */
const MOUNTS: readonly [string, Mount][] = [
  [
    'limpet’s own routes',
    async (app, options) => {
      await app.register(limpet, options)
    },
  ],
  [
    'reply.limpet()',
    async (app, options) => {
      await app.register(limpet, { ...options, routes: false })
      await app.register(async scope => {
        acceptAnyBody(scope)
        scope.all('/*', (_request, reply) => void reply.limpet())
      })
    },
  ],
]

describe.each(MOUNTS)('the async context of %s', (_name, mount) => {
  test('is the request’s in every hook, on a backend connection that others used', async () => {
    const w1 = await startBackend('w1')
    const app = newApp()
    const seen: string[] = []
    const note = (hook: string): void => void seen.push(`${hook} ${requestContext.get('user')}`)
    await app.register(fastifyRequestContext)
    app.addHook('onRequest', async request => requestContext.set('user', String(request.headers['x-user'])))
    app.addHook('preHandler', async () => note('preHandler'))
    app.addHook('onSend', async (_request, reply) => {
      note('onSend')
      reply.header('x-served-for', requestContext.get('user'))
    })
    app.addHook('onResponse', async () => note('onResponse'))
    await mount(app, poolOf(w1))
    const port = await listen(app)
    for (const user of USERS) {
      const response = await ask(port, { headers: { 'X-User': user } })
      expect([response.status, response.header('x-served-for')]).toEqual([200, user])
      await expect
        .poll(() => seen.splice(0, 3))
        .toEqual([`preHandler ${user}`, `onSend ${user}`, `onResponse ${user}`])
    }
    expect(w1.connections).toBe(1)
  })

  test('is the request’s in onError, the error handler and the hooks behind it', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const app = newApp()
    const users = new AsyncLocalStorage<string>()
    let seen: string[] = []
    const note = (hook: string): void => void seen.push(`${hook} ${users.getStore()}`)
    app.addHook('onRequest', (request, _reply, done) => users.run(String(request.headers['x-user']), done))
    app.addHook('onError', async () => note('onError'))
    app.addHook('preSerialization', async (_request, _reply, payload) => {
      note('preSerialization')
      return payload
    })
    app.addHook('onSend', async () => note('onSend'))
    app.addHook('onResponse', async () => note('onResponse'))
    app.setErrorHandler((_error, _request, reply) => {
      note('error handler')
      return reply.code(502).send({ user: users.getStore() })
    })
    await mount(app, { ...poolOf(w1, w2), affinity: [], balance: 'first' })
    const port = await listen(app)
    for (const user of USERS) {
      for (const backend of [w1, w2]) backend.script = echo
      expect((await ask(port, { headers: { 'X-User': 'opener' } })).status).toBe(200)
      await expect.poll(() => seen).toContain('onResponse opener')
      seen = []
      for (const backend of [w1, w2]) backend.script = resetBeforeHead
      const response = await ask(port, { headers: { 'X-User': user } })
      expect([response.status, JSON.parse(response.text)]).toEqual([502, { user }])
      const hooks = ['error handler', 'preSerialization', 'onSend', 'onResponse']
      await expect
        .poll(() => seen.filter(line => !line.startsWith('onError')))
        .toEqual(hooks.map(hook => `${hook} ${user}`))
      expect(seen.every(line => line.endsWith(` ${user}`))).toBe(true)
    }
  })

  test('is the request’s in a stream that onSend puts around a long body', async () => {
    const size = 8 * 1024 * 1024
    const w1 = await startBackend('w1', ({ response }) => void response.end(Buffer.alloc(size, 'x')))
    const app = newApp()
    const users = new AsyncLocalStorage<string>()
    const seen = new Set<string | undefined>()
    app.addHook('onRequest', (request, _reply, done) => users.run(String(request.headers['x-user']), done))
    app.addHook('onSend', async (_request, _reply, payload: NodeJS.ReadableStream) =>
      payload.pipe(
        new Transform({
          transform(chunk, _encoding, done) {
            seen.add(users.getStore())
            done(null, chunk)
          },
          flush(done) {
            seen.add(users.getStore())
            done()
          },
        }),
      ),
    )
    await mount(app, poolOf(w1))
    const port = await listen(app)
    for (const user of USERS) {
      const response = await ask(port, { headers: { 'X-User': user } })
      expect(response.body.length).toBe(size)
      expect([...seen]).toEqual([user])
      seen.clear()
    }
    expect(w1.connections).toBe(1)
  })
})
