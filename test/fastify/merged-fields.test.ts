import cors from '@fastify/cors'
import { limpet } from '@limpet/fastify'
import { expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

test('fields that a plugin and the backend have are merged [B7]', async () => {
  const w1 = await startBackend('w1', async ({ response }) => {
    response.writeHead(200, {
      vary: 'Accept-Encoding',
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': '*',
      'server-timing': 'db;dur=5',
      'content-type': 'text/plain',
    })
    response.end('x')
  })
  const app = newApp()
  await app.register(cors, { origin: ['https://shop.example', 'https://other.example'] })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'server-timing': 'auth;dur=1', 'content-type': 'text/html' })
    done()
  })
  await app.register(limpet, { ...poolOf(w1), affinity: [] })
  const answer = await ask(await listen(app), { headers: { Origin: 'https://shop.example' } })
  expect(answer.header('vary')).toBe('Origin, Accept-Encoding')
  expect(answer.header('cache-control')).toBe('no-store, max-age=60')
  expect(answer.header('access-control-allow-origin')).toBe('https://shop.example')
  expect(answer.header('server-timing')).toBe('auth;dur=1, db;dur=5')
  expect(answer.header('content-type')).toBe('text/plain')
})
