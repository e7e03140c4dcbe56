import { limpet } from '@limpet/fastify'
import type { LimpetInfo } from '@limpet/http-proxy'
import { expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

const TIME = expect.any(Number) as number

test('request.limpet tells hooks the backend, the status and the attempts', async () => {
  const [down, w2] = await startBackends('down', 'w2')
  await down.refuse()
  const infos: (LimpetInfo | undefined)[] = []
  const app = newApp()
  app.addHook('onSend', async ({ limpet: info }, reply) => {
    void reply.header('x-backend', info?.backend ?? 'none')
  })
  app.addHook('onResponse', async ({ limpet: info }) => {
    infos.push(info)
  })
  await app.register(limpet, { ...poolOf(down, w2), name: 'shop' })
  app.get('/own', () => 'own')
  const port = await listen(app)
  expect((await ask(port)).header('x-backend')).toBe('w2')
  expect((await ask(port, { path: '/own' })).header('x-backend')).toBe('none')
  const [info] = infos
  const attempt = { startedMs: TIME, durationMs: TIME }
  expect(JSON.parse(JSON.stringify(info))).toEqual({
    pool: 'shop',
    backend: 'w2',
    status: 'none',
    attempts: [
      { ...attempt, backend: 'down', outcome: 'unreached' },
      { ...attempt, backend: 'w2', outcome: 'responded' },
    ],
    queuedMs: TIME,
  })
})

test('request.limpet is there for reply.limpet(), and without a backend', async () => {
  const infos: (LimpetInfo | undefined)[] = []
  const app = newApp()
  app.addHook('onResponse', async ({ limpet: info }) => {
    infos.push(info)
  })
  await app.register(limpet, { ...poolOf(await startBackend('w1')), routes: false })
  await app.register(limpet, { ...poolOf(), name: 'empty', affinity: [], routes: false })
  app.get('/one', (_request, reply) => reply.limpet())
  app.get('/none', (_request, reply) => reply.limpet('empty'))
  const port = await listen(app)
  await ask(port, { path: '/one' })
  expect((await ask(port, { path: '/none' })).status).toBe(503)
  expect(infos.map(info => [info?.pool, info?.backend, info?.attempts.length])).toEqual([
    ['default', 'w1', 1],
    ['empty', undefined, 0],
  ])
})
