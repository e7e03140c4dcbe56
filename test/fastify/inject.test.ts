import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { newApp, poolOf } from '../support/fastify-app.ts'

/** inject() does not add it by itself. */
const CHUNKED = { 'transfer-encoding': 'chunked' }

/** The way in that tests of an app take: no port, no socket. */
describe('app.inject()', () => {
  test('is answered by a backend and keeps its session', async () => {
    const affinity = createAffinity(poolOf(...(await startBackends('w1', 'w2'))))
    const app = newApp()
    await app.register(limpet, { use: affinity })
    const first = await app.inject('/a?b')
    expect(first.statusCode).toBe(200)
    expect(first.json()).toMatchObject({ id: 'w1', method: 'GET', url: '/a?b' })
    const [cookie] = first.cookies
    expect(cookie?.name).toBe('SERVERID')
    const cookies = { SERVERID: cookie?.value ?? '' }
    const ids = [await app.inject({ url: '/', cookies }), await app.inject({ url: '/', cookies })]
    expect(ids.map(answer => answer.json().id)).toEqual(['w1', 'w1'])
    expect(affinity.pool.backends.map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })

  test.each([
    ['text', {}, 'x'.repeat(100_000), 100_000],
    ['an object', {}, { a: 1 }, 7],
    ['a stream', CHUNKED, Readable.from([Buffer.alloc(70_000), Buffer.alloc(30_000)]), 100_000],
  ])('brings a body that is %s', async (_, headers, payload, bytes) => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    await app.register(limpet, { use: affinity })
    const answer = await app.inject({ method: 'POST', url: '/', headers, payload })
    expect(answer.json()).toMatchObject({ method: 'POST', bytes })
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
  })

  test('leaves no timer that looks for a connection', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const app = newApp()
    await app.register(limpet, poolOf(await startBackend('w1')))
    await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    // The look at the rest of the body begins after the response.
    await setImmediate()
    vi.advanceTimersByTime(60_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('gets a large answer whole', async () => {
    const big = 'x'.repeat(1_000_000)
    const app = newApp()
    await app.register(limpet, poolOf(await startBackend('w1', ({ response }) => void response.end(big))))
    expect((await app.inject('/')).body.length).toBe(big.length)
  })

  test('gets our own answers', async () => {
    const app = newApp()
    await app.register(limpet, poolOf())
    const answer = await app.inject('/')
    expect([answer.statusCode, answer.body]).toEqual([503, '503 Service Unavailable\nrequest req-1\n'])
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
})
