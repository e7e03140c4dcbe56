import type { ServerResponse } from 'node:http'
import { queryObjects } from 'node:v8'
import { limpet } from '@limpet/fastify'
import { Client } from 'undici'
import { expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { openRaw } from '../support/raw-client.ts'
import { echo, hang } from '../support/scripts.ts'

const PEAK = 50
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Clients of undici in this process, after a garbage collection. */
function clients(): number {
  return queryObjects(Client, { format: 'count' })
}

test('an aborted request opens no spare connection to its backend', async () => {
  const w1 = await startBackend('w1', hang)
  const app = newApp()
  await app.register(limpet, poolOf(w1))
  const port = await listen(app)
  const open = await Promise.all(Array.from({ length: 5 }, async () => openRaw(port)))
  for (const client of open) client.write(REQUEST)
  await w1.arrival(5)
  for (const client of open) client.socket.destroy()
  await Promise.all(w1.seen.map(async seen => seen.over))
  w1.script = echo
  for (let count = 0; count < 3; count += 1) expect((await ask(port)).status).toBe(200)
  expect(w1.connections).toBe(6)
})

test('after a peak of requests its connections go, and what holds them in memory', async () => {
  const waiting: ServerResponse[] = []
  const w1 = await startBackend('w1', ({ response }) => void waiting.push(response))
  const app = newApp()
  await app.register(limpet, poolOf(w1))
  const port = await listen(app)
  const before = clients()
  const asking = Array.from({ length: PEAK }, async () => ask(port))
  await w1.arrival(PEAK)
  expect([w1.sockets.size, clients() - before]).toEqual([PEAK, PEAK])
  for (const response of waiting) response.end('done')
  for (const { status } of await Promise.all(asking)) expect(status).toBe(200)
  // The next requests go by the same connections.
  w1.script = echo
  for (let count = 0; count < 3; count += 1) await ask(port)
  expect(w1.connections).toBe(PEAK)
  await expect.poll(() => w1.sockets.size, { timeout: 15_000 }).toBe(0)
  await expect.poll(() => clients() - before).toBe(0)
})
