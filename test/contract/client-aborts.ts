import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { startBlackHole } from '../support/black-hole.ts'
import { openRaw, type RawConnection } from '../support/raw-client.ts'
import { echoWith, hang } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** How long a backend may go on working for a client that has left. */
const SOON_MS = 1_500

/** Clients that leave before they have their answer. */
export function clientAborts(start: Start): void {
  async function visit(
    gateway: RunningGateway,
    text = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ): Promise<RawConnection> {
    const client = await openRaw(gateway.port)
    client.write(text)
    return client
  }
  const WAYS = [
    ['closes', (client: RawConnection) => client.socket.destroy()],
    ['resets', (client: RawConnection) => client.socket.resetAndDestroy()],
  ] as const

  describe('a client that leaves', () => {
    test.each(WAYS)(
      'before the head (%s): its backend is released at once, and no other is tried [T-41, D-08]',
      async (_how, leave) => {
        const backends = await startBackends('w1', 'w2')
        const gateway = await start(backends)
        const [w1, w2] = backends
        w1.script = hang
        const client = await visit(gateway)
        const seen = await w1.arrival()
        const leftMs = performance.now()
        leave(client)
        expect((await seen.over) - leftMs).toBeLessThan(SOON_MS)
        expect(seen.aborted).toBe(true)
        await expectBlameless(gateway)
        expect(w2.seen).toEqual([])
      },
    )

    test.each(WAYS)('in the middle of the body (%s): the same [T-41, D-08]', async (_how, leave) => {
      const w1 = await startBackend('w1', ({ response }) => void response.write('data: 1\n\n'))
      const gateway = await start([w1])
      const client = await visit(gateway)
      await client.until(received => received.includes('data: 1'))
      const leftMs = performance.now()
      leave(client)
      expect((await w1.last.over) - leftMs).toBeLessThan(SOON_MS)
      expect(w1.last.aborted).toBe(true)
      await expectBlameless(gateway)
    })

    test.each(WAYS)(
      'in the middle of its own body (%s): the same, and the body is not complete [T-41]',
      async (_how, leave) => {
        for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
          const w1 = await startBackend('w1')
          const gateway = await start([w1])
          const client = await visit(
            gateway,
            `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n5\r\nhello\r\n`.slice(
              0,
              framing.endsWith('d') ? undefined : -8,
            ),
          )
          const seen = await w1.arrival()
          await expect.poll(() => seen.bytes, { interval: 5 }).toBeGreaterThan(0)
          const leftMs = performance.now()
          leave(client)
          expect((await seen.over) - leftMs).toBeLessThan(SOON_MS)
          expect([seen.aborted, seen.sha256]).toEqual([true, undefined])
          await expectBlameless(gateway)
        }
      },
    )

    test.each(WAYS)(
      'with requests behind each other (%s): all their backends are let off',
      async (_how, leave) => {
        const backends = await startBackends('w1', 'w2')
        const gateway = await start(backends)
        for (const backend of backends) backend.script = hang
        const client = await visit(gateway, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4))
        const [w1, w2] = backends
        const seen = await Promise.all([w1.arrival(1), w1.arrival(2), w2.arrival(1), w2.arrival(2)])
        leave(client)
        await Promise.all(seen.map(async ({ over }) => over))
        await expectBlameless(gateway)
      },
    )

    test('with requests behind each other, while a policy is asked: no backend is', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const asked: string[] = []
      const read = async ({ url }: { url: string }): Promise<{ kind: 'none' }> => {
        asked.push(url)
        await promise
        return { kind: 'none' }
      }
      const w1 = await startBackend('w1')
      const gateway = await start([w1], { affinity: [{ name: 'test', read }] })
      const client = await visit(gateway, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4))
      await expect.poll(() => asked.length, { interval: 5 }).toBe(4)
      // The gateway has noticed by the time that it accepts another connection.
      client.socket.destroy()
      await openRaw(gateway.port)
      const others = gateway.ask({ path: '/b' })
      await expect.poll(() => asked.length, { interval: 5 }).toBe(5)
      resolve()
      await others
      expect(w1.seen.map(({ url }) => url)).toEqual(['/b'])
      await expectBlameless(gateway)
    })

    test('before any backend is reached: the next one is not tried [T-41]', async () => {
      const w2 = await startBackend('w2')
      const gateway = await start([await startBlackHole('w1'), w2], { timeouts: { connect: 300 } })
      const client = await visit(gateway)
      await expect.poll(() => gateway.view({ id: 'w1' }).inFlight, { interval: 5 }).toBe(1)
      client.socket.destroy()
      await expect.poll(() => gateway.view({ id: 'w1' }).inFlight, { interval: 5 }).toBe(0)
      // The time in which the next one would have been tried.
      await delay(500)
      expect(w2.connections).toBe(0)
      expect(gateway.view(w2).requests).toBe(0)
    })

    test('with an answer that is too much for it: what is not read is not fetched [T-41]', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.end(Buffer.alloc(64 * 1024 * 1024)))
      const gateway = await start([w1])
      const client = await visit(gateway)
      await client.until(received => received.length > 0)
      client.socket.destroy()
      await w1.last.over
      expect(w1.last.aborted).toBe(true)
      await expectBlameless(gateway)
    })

    test('after its answer: nothing is amiss', async () => {
      const gateway = await start([await startBackend('w1')])
      const client = await visit(gateway)
      await client.until(received => received.includes('"id":"w1"'))
      client.socket.resetAndDestroy()
      await expectBlameless(gateway)
    })

    test('many at once, at any moment: all backends are released [T-41, T-59]', async () => {
      const w1 = await startBackend('w1', async exchange => {
        await delay(exchange.seen.url.length)
        await echoWith(200)(exchange)
      })
      const gateway = await start([w1])
      const clients = Array.from({ length: 100 }, async (_, index) => {
        const client = await visit(gateway, `GET /${'x'.repeat(index % 40)} HTTP/1.1\r\nHost: a\r\n\r\n`)
        await delay((index * 7) % 45)
        if (index % 2 === 0) client.socket.resetAndDestroy()
        else client.socket.destroy()
      })
      await Promise.all(clients)
      await expectBlameless(gateway)
    })
  })
}

/** It is over, and no backend is to blame. */
async function expectBlameless(gateway: RunningGateway): Promise<void> {
  const counts = () => gateway.pool.backends.map(({ inFlight, failures }) => [inFlight, failures])
  await expect.poll(counts, { interval: 5 }).toEqual(gateway.pool.backends.map(() => [0, 0]))
}
