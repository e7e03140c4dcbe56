import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { echoWith, resetBeforeHead } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** How often a request is tried. */
export function attempts(start: Start): void {
  describe('attempts', () => {
    test('each backend is tried once, and no more than maxAttempts of them [LB111, LB163, LB164, T-51]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3', 'w4', 'w5')
      const gateway = await start(backends, { maxAttempts: 3 })
      await Promise.all(backends.map(backend => backend.refuse()))
      const answer = await gateway.ask()
      expect(answer.status).toBe(502)
      expect(answer.cookies()).toEqual([])
      const failures = gateway.pool.backends.map(view => view.failures).toSorted((a, b) => a - b)
      expect(failures).toEqual([0, 0, 1, 1, 1])
    })

    test('the last of many is found, and it alone is in the cookie [LB160, LB163]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3', 'w4', 'w5')
      const gateway = await start(backends, { maxAttempts: 5 })
      await Promise.all(backends.slice(0, 4).map(backend => backend.refuse()))
      const browser = gateway.browser()
      for (let visit = 0; visit < 10; visit += 1) {
        const fresh = await gateway.ask()
        expect(fresh.echo.id).toBe('w5')
        expect(fresh.cookies('SERVERID')).toHaveLength(1)
      }
      expect([await browser.visit(), await browser.visit()]).toEqual(['w5', 'w5'])
    })

    test('nothing moves with maxAttempts 1', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { maxAttempts: 1 })
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      const before = w2.seen.length
      expect((await browser.ask()).status).toBe(502)
      expect(w2.seen).toHaveLength(before)
    })

    test.each([
      [503, undefined],
      [503, '120'],
      [502, undefined],
      [429, '60'],
    ])(
      "a backend's own %i is an answer: given at once, asked for once [T-51, D-05]",
      async (status, retryAfter) => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2])
        const browser = await gateway.browserOn(w1)
        w1.script = echoWith(status, retryAfter === undefined ? {} : { 'Retry-After': retryAfter })
        const before = [w1.seen.length, w2.seen.length]
        const answer = await browser.ask()
        expect(answer.status).toBe(status)
        // A gateway that waits so long before it answers has no client any more.
        expect(answer.header('retry-after')).toBe(retryAfter)
        expect([w1.seen.length, w2.seen.length]).toEqual([(before[0] ?? 0) + 1, before[1]])
        expect(gateway.view(w1).failures).toBe(0)
      },
    )

    test('the repeat by a fresh connection is an attempt', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { maxAttempts: 2 })
      const browser = await gateway.browserOn(w1)
      w1.script = resetBeforeHead
      const [before, elsewhere] = [w1.seen.length, w2.seen.length]
      expect((await browser.ask()).status).toBe(502)
      expect([w1.seen.length - before, w2.seen.length - elsewhere]).toEqual([2, 0])
    })

    test('a retry budget of 0 shows a request to one backend, once', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { retryBudget: { ratio: 0, minPerSecond: 0 } })
      const browser = await gateway.browserOn(w1)
      w1.script = resetBeforeHead
      const [before, elsewhere] = [w1.seen.length, w2.seen.length]
      expect((await browser.ask()).status).toBe(502)
      expect([w1.seen.length - before, w2.seen.length - elsewhere]).toEqual([1, 0])
    })

    test.each([503, 502])(
      '%i is retried where retryOn has it, and begins no session there [LB083, LB084]',
      async status => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2], { retryOn: ['connect', 'reset', 'timeout', 502, 503] })
        w1.script = echoWith(status, { 'Set-Cookie': 'app=w1' })
        for (let visit = 0; visit < 4; visit += 1) {
          const answer = await gateway.ask()
          expect([answer.status, answer.echo.id]).toEqual([200, 'w2'])
          expect(answer.cookies()).toEqual([expect.stringMatching(/^SERVERID=/)])
          expect(await gateway.browser().visit()).toBe('w2')
        }
        expect(gateway.view(w1).failures).toBeGreaterThan(0)
        expect(gateway.view(w1).inFlight).toBe(0)
      },
    )

    test('the last response is given as it is when no backend does better', async () => {
      const backends = await startBackends('w1', 'w2')
      const gateway = await start(backends, { retryOn: [503] })
      for (const backend of backends)
        backend.script = echoWith(503, { 'Retry-After': '7', 'X-From': backend.id })
      const answer = await gateway.ask()
      expect([answer.status, answer.header('retry-after'), answer.echo.id]).toEqual([
        503,
        '7',
        answer.header('x-from'),
      ])
      expect(answer.cookies()).toEqual([])
      expect(backends.map(({ seen }) => seen.length)).toEqual([1, 1])
    })

    test.each([{ method: 'POST' }, { method: 'PUT', body: 'x' }])(
      'a status of retryOn is a response as any other to a request that may have had its effect: %j',
      async asked => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2], { retryOn: [503] })
        const browser = await gateway.browserOn(w1)
        w1.script = echoWith(503)
        const before = w2.seen.length
        expect((await browser.ask(asked)).status).toBe(503)
        expect(w2.seen).toHaveLength(before)
      },
    )

    test('a request that kills its backends harms no other request [T-52]', async () => {
      const poisonous = await startBackends('w1', 'w2')
      for (const backend of poisonous) {
        backend.script = exchange =>
          exchange.seen.url === '/poison' ? resetBeforeHead(exchange) : echoWith(200)(exchange)
      }
      const gateway = await start(poisonous)
      const browser = await gateway.browserOn({ id: 'w1' })
      for (let poison = 0; poison < 10; poison += 1) {
        const [poisoned, healthy] = await Promise.all([gateway.ask({ path: '/poison' }), browser.visit()])
        expect(poisoned.status).toBe(502)
        expect(healthy).toBe('w1')
      }
    })
  })
}
