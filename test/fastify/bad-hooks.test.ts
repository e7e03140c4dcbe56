import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { type Asked, ask } from '../support/http-client.ts'

/** A hook and the status of the response; undefined: the client has none. */
const HOOKS: [string, (app: FastifyInstance) => void, number | undefined][] = [
  [
    'sends a reply and goes on',
    app =>
      app.addHook('onRequest', (_request, reply, done) => {
        reply.code(401).send('no')
        done()
      }),
    401,
  ],
  [
    'sends a reply and returns it',
    app => app.addHook('preHandler', async (_request, reply) => reply.code(401).send('no')),
    401,
  ],
  [
    'sends a reply and then throws',
    app =>
      app.addHook('preHandler', async (_request, reply) => {
        reply.code(401).send('no')
        throw new Error('mine')
      }),
    401,
  ],
  [
    'has begun a response by itself and then throws',
    app =>
      app.addHook('preHandler', async (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200).end('mine')
        throw new Error('mine')
      }),
    200,
  ],
  [
    'has begun a response by itself and goes on',
    app =>
      app.addHook('preHandler', (_request, reply, done) => {
        reply.raw.writeHead(200, { 'content-length': '4' }).end('mine')
        done()
      }),
    200,
  ],
  [
    'calls done twice at once',
    app =>
      app.addHook('preHandler', (_request, _reply, done) => {
        done()
        done()
      }),
    200,
  ],
  [
    'calls done twice, the second time later',
    app =>
      app.addHook('onRequest', (_request, _reply, done) => {
        done()
        setImmediate(done)
      }),
    200,
  ],
  [
    'calls done twice, the second time after the response',
    app =>
      app.addHook('preHandler', (_request, reply, done) => {
        done()
        reply.raw.once('close', done)
      }),
    200,
  ],
  [
    'calls done and then done with an error',
    app =>
      app.addHook('preHandler', (_request, _reply, done) => {
        done()
        done(new Error('mine'))
      }),
    500,
  ],
  [
    'calls done twice when the response is about to begin',
    app =>
      app.addHook('onSend', (_request, _reply, payload, done) => {
        done(null, payload)
        done(null, payload)
      }),
    200,
  ],
  [
    'throws when the response is about to begin',
    app =>
      app.addHook('onSend', () => {
        throw new Error('mine')
      }),
    500,
  ],
  [
    'throws after it has begun the response',
    app =>
      app.addHook('onSend', async (_request, reply) => {
        reply.raw.writeHead(202, { 'content-length': '4' }).end('mine')
        throw new Error('mine')
      }),
    202,
  ],
  [
    'throws after the response',
    app =>
      app.addHook('onResponse', () => {
        throw new Error('mine')
      }),
    200,
  ],
  [
    'destroys the socket before a backend is chosen',
    app =>
      app.addHook('preHandler', (request, _reply, done) => {
        request.raw.socket.destroy()
        done()
      }),
    undefined,
  ],
  [
    'destroys the request',
    app =>
      app.addHook('preHandler', (request, _reply, done) => {
        request.raw.destroy()
        done()
      }),
    undefined,
  ],
  [
    'destroys the response',
    app =>
      app.addHook('preHandler', (_request, reply, done) => {
        reply.raw.destroy()
        done()
      }),
    undefined,
  ],
  [
    'destroys the socket while a backend has the request',
    app =>
      app.addHook('preHandler', (request, _reply, done) => {
        done()
        setImmediate(() => request.raw.socket.destroy())
      }),
    undefined,
  ],
  [
    'destroys the socket when the response is about to begin',
    app =>
      app.addHook('onSend', (request, _reply, payload, done) => {
        request.raw.socket.destroy()
        done(null, payload)
      }),
    undefined,
  ],
]

const REQUESTS: [string, Asked][] = [
  ['GET', {}],
  ['POST', { method: 'POST', body: 'x' }],
  ['large POST', { method: 'POST', body: 'x'.repeat(300_000) }],
]

describe.each(REQUESTS)('at a %s, a hook that', (_method, asked) => {
  test.each(HOOKS)('%s leaves nothing in flight', async (_, addHook, status) => {
    const w1 = await startBackend('w1')
    const affinity = createAffinity(poolOf(w1))
    const app = newApp()
    await app.register(async scope => {
      addHook(scope)
      await scope.register(limpet, { use: affinity, prefix: '/bad' })
    })
    await app.register(limpet, { use: affinity, prefix: '/good' })
    const port = await listen(app)
    // A client whose connection is gone has no status.
    const got = await ask(port, { path: '/bad', ...asked }).then(
      answer => answer.status,
      () => undefined,
    )
    expect(got).toBe(status)
    expect((await ask(port, { path: '/good' })).status).toBe(200)
    await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
    // A request is not forwarded twice.
    expect(w1.seen.filter(({ url }) => url === '/bad').length).toBeLessThan(2)
  })
})
