import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask, open, readToEnd } from '../support/http-client.ts'
import { echo } from '../support/scripts.ts'

async function start(...backends: readonly Backend[]) {
  const affinity = createAffinity(poolOf(...backends))
  const app = newApp()
  await app.register(limpet, { use: affinity })
  return { pool: affinity.pool, port: await listen(app) }
}

describe("a pool's members", () => {
  test('one that is removed finishes its answer, and then its connection is closed', async () => {
    const answering = Promise.withResolvers<ServerResponse>()
    const w1 = await startBackend('w1', ({ response }) => {
      response.write('first ')
      answering.resolve(response)
    })
    const w2 = await startBackend('w2')
    const { pool, port } = await start(w1, w2)
    const opened = await open(port)
    const reading = readToEnd(opened)
    const response = await answering.promise
    pool.remove('w1')
    expect((await ask(port)).echo.id).toBe('w2')
    response.end('and last')
    const ended = performance.now()
    expect(Buffer.concat(await reading).toString()).toBe('first and last')
    expect(opened.message.complete).toBe(true)
    for (const socket of w1.sockets) await once(socket, 'close')
    // Kept for the next request, it would stay for four seconds.
    expect(performance.now() - ended).toBeLessThan(2_000)
    expect((await ask(port)).echo.id).toBe('w2')
    expect(w1.connections).toBe(1)
  })

  test('one that is removed has its idle connections ended with the next request', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { pool, port } = await start(w1, w2)
    expect((await ask(port)).echo.id).toBe('w1')
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    pool.remove('w1')
    const removed = performance.now()
    expect((await ask(port)).echo.id).toBe('w2')
    await Promise.all(closings)
    expect(performance.now() - removed).toBeLessThan(2_000)
  })

  test('one that is added is asked, and keeps its sessions', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { pool, port } = await start(w1)
    expect((await ask(port)).echo.id).toBe('w1')
    pool.add(w2.options)
    pool.setState('w1', 'drain')
    const browser = new Browser(port)
    expect(await browser.visit()).toBe('w2')
    pool.setState('w1', 'ready')
    expect([await browser.visit(), await browser.visit()]).toEqual(['w2', 'w2'])
  })

  test('one that moves to another port takes its sessions along', async () => {
    const [old, other] = await startBackends('old', 'other')
    const { pool, port } = await start(old)
    const browser = new Browser(port)
    expect(await browser.visit()).toBe('old')
    const { sockets } = old
    pool.replace([{ ...other.options, id: 'old' }])
    const moved = await browser.ask()
    expect([moved.echo.id, moved.cookies()]).toEqual(['other', []])
    await expect.poll(() => sockets.size).toBe(0)
  })

  test('a pool may begin empty', async () => {
    const w1 = await startBackend('w1')
    const { pool, port } = await start()
    expect((await ask(port)).status).toBe(503)
    pool.add(w1.options)
    expect((await ask(port)).echo.id).toBe('w1')
  })

  test('one at a path of the file system may come and go as any other', async () => {
    const path = join(tmpdir(), `limpet-${process.pid}-${Math.random().toString(36).slice(2)} %20.sock`)
    const [w1, w2] = [await startBackend('w1'), await startBackend('w2', echo, { path })]
    const { pool, port } = await start(w1)
    pool.add({ id: 'w2', url: `unix:${path.replaceAll('%', '%25')}` })
    pool.setState('w1', 'drain')
    const browser = new Browser(port)
    const answer = await browser.ask({ method: 'POST', body: 'x'.repeat(100_000) })
    expect(answer.echo).toMatchObject({ id: 'w2', bytes: 100_000 })
    expect(await browser.visit()).toBe('w2')
    expect(w2.connections).toBe(1)
    pool.remove('w2')
    expect(await browser.visit()).toBe('w1')
    await expect.poll(() => w2.sockets.size).toBe(0)
  })
})
