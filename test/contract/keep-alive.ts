import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import type { Browser } from '../support/browser.ts'
import type { Script } from '../support/exchange.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { echo, resetBeforeHead } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** How long a backend keeps an idle connection in the race, and how often each client asks. */
const IDLE_MS = 90

/** Of them every sixth sends POSTs. Every adapter runs the race, so that few clients make many meetings. */
const CLIENTS = 18

/** Connections that the race goes on for: more than there are clients, so many were closed and opened again. */
const ENOUGH = 30

/** Connections to backends that are used again, and those that have died meanwhile. */
export function keepAlive(start: Start): void {
  describe('kept connections', () => {
    test('a kept one is used again by any client, rather than another opened', async () => {
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

    test('all that were kept may be closed as a request arrives: its session stays, and no backend is to blame [T-58]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      const client = await openRaw(gateway.port)
      for (let round = 1; round <= 3; round += 1) {
        await keepEight(w1, browser)
        await idle()
        // Both in one turn of the event loop: the gateway hears of the request first, and then of one end after the other.
        client.write(`GET /${round} HTTP/1.1\r\nHost: a\r\nCookie: ${browser.cookieHeader}\r\n\r\n`)
        w1.hangUp()
        await client.until(received => parseAnswers(received).length === round)
      }
      const answers = parseAnswers(client.received).map(({ status, body }) => [status, JSON.parse(body).id])
      expect(answers).toEqual(Array.from({ length: 3 }, () => [200, 'w1']))
      expect(client.received).not.toMatch(/set-cookie/i)
      expect(gateway.view(w1).failures).toBe(0)
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
      // On a slow machine nearly every request meets a connection that dies: the repeats are more than the usual budget.
      const gateway = await start(backends, { retryBudget: { ratio: 1, minPerSecond: 1_000 } })
      for (const backend of backends) backend.closeIdleAfter(IDLE_MS)
      const counts = { GET: 0, POST: 0, lost: 0 }
      const mistakes: string[] = []
      const opened = () => backends.reduce((sum, { connections }) => sum + connections, 0)
      async function race(method: 'GET' | 'POST'): Promise<void> {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        onTestFinished(() => agent.destroy())
        const browser = gateway.browser({ agent })
        const id = await browser.visit()
        for (let visit = 0; visit < 20 || opened() < ENOUGH; visit += 1) {
          // Round the moment at which the other side closes: a little before, at it, a little after.
          await delay(IDLE_MS - 3 + (visit % 5))
          const answer = await browser.ask({ method })
          counts[method] += 1
          const isAsEver = answer.status === 200 && answer.echo.id === id && answer.cookies().length === 0
          // A POST whose connection died under it may have had its effect, so it is not done again: its client is told.
          if (method === 'POST' && answer.status === 502) counts.lost += 1
          else if (!isAsEver) mistakes.push(`${method} on ${id}: ${answer.status} ${answer.text}`)
        }
      }
      await Promise.all(Array.from({ length: CLIENTS }, (_, index) => race(index % 6 === 0 ? 'POST' : 'GET')))
      expect(mistakes).toEqual([])
      console.log(`keep-alive race: ${JSON.stringify(counts)}, ${opened()} connections`)
    })
  })
}

/** A turn of the event loop in which nothing happens: after it, sockets are heard in the order in which they speak. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await delay(1)
}

/** Has eight requests answered at the same time, so that eight connections are kept. */
async function keepEight(backend: Backend, browser: Browser): Promise<void> {
  const everybody = Promise.withResolvers<void>()
  backend.script = async exchange => {
    await everybody.promise
    await echo(exchange)
  }
  const before = backend.seen.length
  const visits = Array.from({ length: 8 }, () => browser.visit())
  await backend.arrival(before + visits.length)
  everybody.resolve()
  await Promise.all(visits)
  backend.script = echo
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
