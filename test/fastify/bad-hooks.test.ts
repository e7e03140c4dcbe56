import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

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
    'throws when the response is about to begin',
    app =>
      app.addHook('onSend', () => {
        throw new Error('mine')
      }),
    500,
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
    'destroys the socket when the response is about to begin',
    app =>
      app.addHook('onSend', (request, _reply, payload, done) => {
        request.raw.socket.destroy()
        done(null, payload)
      }),
    undefined,
  ],
]

describe('a hook that', () => {
  test.each(HOOKS)('%s leaves nothing in flight', async (_, addHook, status) => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    await app.register(async scope => {
      addHook(scope)
      await scope.register(limpet, { use: affinity, prefix: '/bad' })
    })
    await app.register(limpet, { use: affinity, prefix: '/good' })
    const port = await listen(app)
    // A client whose connection is gone has no status.
    const got = await ask(port, { path: '/bad', method: 'POST', body: 'x' }).then(
      answer => answer.status,
      () => undefined,
    )
    expect(got).toBe(status)
    expect((await ask(port, { path: '/good' })).status).toBe(200)
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
  })
})
