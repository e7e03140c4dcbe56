import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { echo, resetBeforeHead } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** How long a backend keeps an idle connection in the race, and how often each client asks. */
const IDLE_MS = 90

/** Connections to backends that are used again, and those that have died meanwhile. */
export function keepAlive(start: Start): void {
  describe('kept connections', () => {
    test('one is used again rather than another opened, by whoever comes', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1])
      for (let visit = 0; visit < 10; visit += 1) {
        await gateway.ask()
        await gateway.ask({ method: 'POST', body: 'x' })
      }
      expect(w1.connections).toBe(1)
    })

    test('as many are opened as are needed at once, and no more [T-57]', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1])
      for (let wave = 0; wave < 4; wave += 1) {
        await Promise.all(Array.from({ length: 50 }, () => gateway.ask({ path: `/${wave}` })))
      }
      expect(w1.connections).toBeLessThanOrEqual(50)
      expect(w1.seen).toHaveLength(200)
    })

    test('one that dies as it is used costs a GET nothing, and its session stays [T-58]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      w1.script = onceForEachConnection()
      const before = w2.seen.length
      for (let visit = 0; visit < 6; visit += 1) {
        const answer = await browser.ask()
        expect(answer.echo.id).toBe('w1')
        expect(answer.cookies()).toEqual([])
      }
      expect(w2.seen).toHaveLength(before)
    })

    test('one that dies as it is used is no reason to do a POST twice [T-50, T-58]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      w1.script = onceForEachConnection()
      await browser.visit()
      const [before, elsewhere] = [w1.seen.length, w2.seen.length]
      const answer = await browser.ask({ method: 'POST', body: 'x' })
      expect(answer.status).toBe(502)
      expect([w1.seen.length, w2.seen.length]).toEqual([before + 1, elsewhere])
      expect(await browser.visit()).toBe('w1')
    })

    test('a backend that was started again is as good as it was: GET and POST [T-58]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      for (let restart = 0; restart < 3; restart += 1) {
        await Promise.all([browser.visit(), browser.visit(), browser.visit()])
        await w1.refuse()
        await w1.listen()
        const answer = await browser.ask({ method: 'POST', body: 'x'.repeat(50_000) })
        expect(answer.echo).toMatchObject({ id: 'w1', bytes: 50_000 })
        expect(await browser.visit()).toBe('w1')
      }
      expect(gateway.view(w1).failures).toBe(0)
    })

    test('backends that close idle connections in the rhythm of the requests lose none, and no session moves [T-58]', async () => {
      const backends = await startBackends('w1', 'w2')
      const gateway = await start(backends)
      for (const backend of backends) backend.closeIdleAfter(IDLE_MS)
      const counts = { GET: 0, POST: 0, lost: 0 }
      async function race(method: 'GET' | 'POST'): Promise<void> {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        onTestFinished(() => agent.destroy())
        const browser = gateway.browser({ agent, method })
        const { id } = (await browser.ask()).echo
        for (let visit = 0; visit < 20; visit += 1) {
          // Round the moment at which the other side closes: a little before, at it, a little after.
          await delay(IDLE_MS - 3 + (visit % 5))
          const answer = await browser.ask()
          counts[method] += 1
          if (method === 'POST' && answer.status === 502) {
            // Its connection died under it. It may have had its effect, so it is not done again: its client is told.
            counts.lost += 1
            continue
          }
          expect([answer.status, answer.echo.id, answer.cookies()]).toEqual([200, id, []])
        }
      }
      const clients = Array.from({ length: 60 }, (_, index) => race(index % 6 === 0 ? 'POST' : 'GET'))
      await Promise.all(clients)
      const opened = backends.reduce((sum, { connections }) => sum + connections, 0)
      console.log(`keep-alive race: ${JSON.stringify(counts)}, ${opened} connections`)
      expect(opened, 'there was a race').toBeGreaterThan(100)
    })
  })
}

/** Echoes the first request of each connection and resets it at the second. */
function onceForEachConnection(): Script {
  const used = new WeakSet<object>()
  return exchange => {
    const { socket } = exchange.request
    if (used.has(socket)) return resetBeforeHead(exchange)
    used.add(socket)
    return echo(exchange)
  }
}
