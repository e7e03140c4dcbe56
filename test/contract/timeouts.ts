import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { startBlackHole } from '../support/black-hole.ts'
import type { Browser } from '../support/browser.ts'
import { openRaw } from '../support/raw-client.ts'
import { echo, hang } from '../support/scripts.ts'
import { withPauses } from '../support/with-pauses.ts'
import { expectOwnAnswer } from './own-answers.ts'
import type { RunningGateway, Start } from './start.ts'

/** Delay that a busy machine may add to a timer. */
const SLACK_MS = 1_500

/** Backends that take too long. */
export function timeouts(start: Start): void {
  describe('timeouts', () => {
    test.each(['GET', 'POST'])('%s passes a backend that cannot be reached, in time', async method => {
      const w2 = await startBackend('w2')
      const gateway = await start([await startBlackHole('w1'), w2], { timeouts: { connect: 200 } })
      const asked = { method, ...(method === 'POST' && { body: 'x'.repeat(200_000) }) }
      const answer = await gateway.ask(asked)
      expect(answer.echo).toMatchObject({ id: 'w2', bytes: method === 'POST' ? 200_000 : 0 })
      expect(answer.elapsedMs).toBeGreaterThan(190)
      expect(answer.elapsedMs).toBeLessThan(200 + SLACK_MS)
      expect(answer.cookies('SERVERID')).toHaveLength(1)
      expect(gateway.view({ id: 'w1' }).failures).toBe(1)
    })

    test('a backend that cannot be reached is 504 when there is no other', async () => {
      const gateway = await start([await startBlackHole('w1')], { timeouts: { connect: 200 } })
      const answer = await gateway.ask()
      expectOwnAnswer(answer, 504)
      expect(answer.elapsedMs).toBeLessThan(200 + SLACK_MS)
    })

    test('a session stays at a backend that is slow, and its GET is 504 [T-50]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { timeouts: { response: 300 } })
      const browser = await gateway.browserOn(w1)
      w1.script = hang
      const before = w2.seen.length
      const slow = await browser.ask()
      expectOwnAnswer(slow, 504)
      expect(slow.cookies()).toEqual([])
      await w1.last.over
      expect([w1.last.aborted, w2.seen.length]).toEqual([true, before])
      expect(gateway.view(w1).failures).toBe(1)
      w1.script = echo
      expect(await browser.visit()).toBe('w1')
    })

    test('a GET without a session is given to one other backend [T-50]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const [w1, w2, w3] = backends
      const gateway = await start(backends, { timeouts: { response: 300 } })
      w1.script = hang
      const moved = await gateway.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
      await w1.last.over
      expect(w1.last.aborted, 'the first one is let off').toBe(true)
      w2.script = hang
      w3.script = hang
      const counts = (): readonly number[] => backends.map(({ seen }) => seen.length)
      const before = counts().reduce((sum, count) => sum + count, 0)
      expectOwnAnswer(await gateway.ask(), 504)
      expect(counts().reduce((sum, count) => sum + count, 0)).toBe(before + 2)
    })

    test.each([
      [
        'a check finds its backend down',
        async (gateway: RunningGateway) => gateway.pool.setHealthy('w1', false),
      ],
      [
        'its backend refuses another connection',
        async (_gateway: RunningGateway, w1: Backend, other: Browser) => {
          w1.stopAccepting()
          await other.visit()
        },
      ],
    ])('a GET that waits is moved at once when %s', async (_, find) => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { timeouts: { response: 60_000 } })
      const [browser, other] = [await gateway.browserOn(w1), await gateway.browserOn(w1)]
      w1.script = hang
      const arrival = w1.arrival(w1.seen.length + 1)
      const asked = browser.ask()
      const seen = await arrival
      await find(gateway, w1, other)
      const moved = await asked
      expect([moved.status, moved.echo.id]).toEqual([200, 'w2'])
      expect(moved.cookies('SERVERID')).toHaveLength(1)
      await seen.over
      expect(seen.aborted, 'the first one is let off').toBe(true)
      expect(w2.seen.length).toBeGreaterThan(0)
    })

    test('a POST that waits is not moved when its backend is found down', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      const { promise: open, resolve } = Promise.withResolvers<void>()
      w1.script = async exchange => {
        await open
        await echo(exchange)
      }
      const arrival = w1.arrival(w1.seen.length + 1)
      const asked = browser.ask({ method: 'POST', body: 'x' })
      await arrival
      gateway.pool.setHealthy('w1', false)
      resolve()
      expect((await asked).echo.id).toBe('w1')
    })

    test('all attempts together have the total time, and then it is 504', async () => {
      const backends = await startBackends('w1', 'w2')
      for (const backend of backends) backend.script = hang
      const gateway = await start(backends, { timeouts: { response: 300, total: 400 } })
      const answer = await gateway.ask()
      expectOwnAnswer(answer, 504)
      expect(answer.elapsedMs).toBeGreaterThan(390)
      expect(answer.elapsedMs).toBeLessThan(400 + SLACK_MS)
      expect(backends.map(({ seen }) => seen.length)).toEqual([1, 1])
      await Promise.all(backends.map(({ last }) => last.over))
    })

    test('the total time ends with the head of the response', async () => {
      const w1 = await startBackend('w1', async ({ response }) => {
        response.write('begun ')
        await delay(500)
        response.end('and ended')
      })
      const gateway = await start([w1], { timeouts: { total: 300 } })
      const answer = await gateway.ask()
      expect([answer.text, answer.complete]).toEqual(['begun and ended', true])
    })

    test.each([{ method: 'POST' }, { method: 'POST', body: 'x' }, { method: 'PUT', body: 'x' }])(
      'what may have had its effect is 504, and not done again: %j [T-50]',
      async asked => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2], { timeouts: { response: 300 } })
        const browser = await gateway.browserOn(w1)
        w1.script = hang
        const before = w2.seen.length
        const answer = await browser.ask(asked)
        expectOwnAnswer(answer, 504)
        expect(answer.elapsedMs).toBeLessThan(300 + SLACK_MS)
        expect(w2.seen).toHaveLength(before)
      },
    )

    test('a GET without a response is 504 after the timeout of each backend', async () => {
      const backends = await startBackends('w1', 'w2')
      for (const backend of backends) backend.script = hang
      const gateway = await start(backends, { timeouts: { response: 200 } })
      const answer = await gateway.ask()
      expectOwnAnswer(answer, 504)
      expect(answer.elapsedMs).toBeGreaterThan(390)
      expect(answer.elapsedMs).toBeLessThan(400 + SLACK_MS)
      expect(backends.map(({ seen }) => seen.length)).toEqual([1, 1])
    })

    test('a head that comes just in time is in time, and its body may take longer', async () => {
      await withPauses(500, async (limitMs, pause) => {
        const w1 = await startBackend('w1', async ({ response }) => {
          await pause()
          response.write('slow ')
          await delay(1.2 * limitMs)
          response.end('but sure')
        })
        const gateway = await start([w1], { timeouts: { response: limitMs } })
        const answer = await gateway.ask()
        expect([answer.status, answer.text, answer.complete]).toEqual([200, 'slow but sure', true])
      })
    })

    test('a body that takes its time on the way in is not the backend’s delay', async () => {
      await withPauses(400, async (response, pause) => {
        const gateway = await start([await startBackend('w1')], { timeouts: { response } })
        async function* slowly(): AsyncIterable<Buffer> {
          for (let piece = 0; piece < 6; piece += 1) {
            await pause()
            yield Buffer.from('piece')
          }
        }
        const answer = await gateway.ask({ method: 'POST', body: slowly() })
        expect([answer.status, answer.echo.bytes]).toEqual([200, 30])
      })
    })

    test('a body that stops is cut after the idle time, and that is a failure', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.write('then nothing'))
      const gateway = await start([w1], { timeouts: { idle: 300 } })
      const answer = await gateway.ask()
      expect([answer.status, answer.text, answer.complete]).toEqual([200, 'then nothing', false])
      expect(answer.elapsedMs).toBeGreaterThan(290)
      // A coarse timer is good enough here: it guards against hours.
      expect(answer.elapsedMs).toBeLessThan(300 + 1_000 + SLACK_MS)
      expect(gateway.view(w1).failures).toBe(1)
    })

    test('a body that goes on, however slowly, is not cut by the idle time', async () => {
      await withPauses(400, async (idle, pause) => {
        const w1 = await startBackend('w1', async ({ response }) => {
          for (let piece = 0; piece < 5; piece += 1) {
            response.write('piece ')
            await pause()
          }
          response.end()
        })
        const gateway = await start([w1], { timeouts: { idle } })
        const answer = await gateway.ask()
        expect([answer.text, answer.complete]).toEqual(['piece '.repeat(5), true])
      })
    })

    test('a body that all but stops coming is refused, and the backend is not to blame [T-40, D-18]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const client = await openRaw(gateway.port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx')
      const seen = await w1.arrival()
      // There is a time of grace, which this has to outlast.
      await client.until(received => received !== '', 12_000)
      expect(client.received).toMatch(/^HTTP\/1\.1 408 /)
      await seen.over
      expect([seen.aborted, gateway.view(w1).failures]).toEqual([true, 0])
    })

    test('no time is too long when there is no limit', async () => {
      const w1 = await startBackend('w1', async ({ response }) => {
        await delay(700)
        response.end('at last')
      })
      const gateway = await start([w1], { timeouts: { connect: 0, response: 0, idle: 0 } })
      expect((await gateway.ask()).text).toBe('at last')
    })
  })
}
