import { describe, expect, test } from 'vitest'
import { startBackendProcess } from '../support/backend-process.ts'
import { Customer, type Purchase } from '../support/customer.ts'
import type { Start } from './start.ts'

const TIMEOUT_MS = 15_000
/** Requests of each customer before the kill, and after it. */
const PURCHASES = 4

/** Backends that are killed, or that are alive and do nothing. */
export function deadProcesses(start: Start): void {
  describe('processes that die', () => {
    test('kill -9 under load fails no request but those in progress there [T-50, T-51]', async () => {
      const shops = await Promise.all(['w1', 'w2', 'w3'].map(startBackendProcess))
      const [victim] = shops
      const gateway = await start(
        shops.map(shop => shop.options),
        { timeouts: { connect: TIMEOUT_MS, response: TIMEOUT_MS } },
      )
      const customers = Array.from({ length: 50 }, (_, index) => new Customer(gateway.port, index))
      let goneMs = Infinity
      const since = (ms: number, { purchases }: Customer): number =>
        purchases.filter(({ startedMs }) => startedMs > ms).length
      const shopping = Promise.all(
        customers.map(customer => customer.shopUntil(() => since(goneMs, customer) >= PURCHASES)),
      )
      await expect
        .poll(() => Math.min(...customers.map(customer => since(0, customer))), { interval: 5 })
        .toBeGreaterThanOrEqual(PURCHASES)
      const killedMs = performance.now()
      await victim?.kill()
      goneMs = performance.now()
      await shopping

      const hit = customers.filter(({ first }) => first === 'w1')
      const spared = customers.filter(({ first }) => first !== 'w1')
      const all = customers.flatMap(({ purchases }) => purchases)
      const lost = all.filter(({ status }) => status !== 200)
      const begun = lost.filter(({ name }) => victim?.begun.includes(name) === true)
      const afterwards = all.filter(({ endedMs }) => endedMs >= killedMs)
      const slowestMs = Math.max(...afterwards.map(({ startedMs, endedMs }) => endedMs - startedMs))
      const lastLossMs = Math.max(killedMs, ...lost.map(({ endedMs }) => endedMs)) - killedMs
      const moved = hit.filter(({ shops: { length } }) => length === 2)
      console.log(
        `kill -9: ${all.length} requests, ${lost.length} lost (${begun.length} begun there), the last ${lastLossMs.toFixed(0)} ms after; ` +
          `slowest since ${slowestMs.toFixed(0)} ms; ${hit.length} sessions there, ${moved.length} moved`,
      )

      expect(hit.length).toBeGreaterThan(3)
      // Those bound elsewhere see nothing of it.
      expect(spared.flatMap(({ purchases }) => purchases.filter(({ status }) => status !== 200))).toEqual([])
      for (const { shops: ids, cookies } of spared) expect([ids.length, cookies]).toEqual([1, 1])
      // Those bound to it move exactly once, and are told once.
      for (const { shops: ids, cookies } of hit) expect([ids.length, cookies]).toEqual([2, 2])
      // A POST whose bytes were there when it died may have had its effect, so it cannot be done elsewhere: that alone is
      // lost. `goneMs` is when this process knew, a moment after the fact.
      const isExcused = ({ method, status, startedMs }: Purchase): boolean =>
        method === 'POST' && status === 502 && startedMs <= goneMs
      expect(lost.filter(purchase => !isExcused(purchase))).toEqual([])
      for (const { purchases } of hit) {
        expect(purchases.filter(({ status }) => status !== 200).length).toBeLessThan(2)
      }
      // No client has waited for a timeout; the rest depends on the machine.
      expect(slowestMs).toBeLessThan(TIMEOUT_MS)
      // Every POST that was answered was done once, and none in two places.
      const times = new Map<string, number>()
      for (const name of shops.flatMap(shop => shop.begun)) times.set(name, (times.get(name) ?? 0) + 1)
      const posts = all.filter(({ method }) => method === 'POST')
      expect(posts.filter(({ name }) => (times.get(name) ?? 0) > 1)).toEqual([])
      expect(posts.filter(({ name, status }) => status === 200 && times.get(name) !== 1)).toEqual([])
      // And every cart holds what was put into it.
      for (const { mistakes } of customers) expect(mistakes).toEqual([])
    })

    test('a backend that is alive and does nothing keeps its sessions, which get 504 [T-50]', async () => {
      const shops = await Promise.all(['w1', 'w2'].map(startBackendProcess))
      const gateway = await start(
        shops.map(shop => shop.options),
        { timeouts: { response: 400 } },
      )
      const customers = Array.from({ length: 12 }, (_, index) => new Customer(gateway.port, index))
      await Promise.all(customers.map(customer => customer.buy('GET')))
      shops[0]?.freeze()
      const [hit, spared] = [
        customers.filter(({ first }) => first === 'w1'),
        customers.filter(({ first }) => first === 'w2'),
      ]
      const [poster, ...others] = hit
      const [posted] = await Promise.all([
        poster?.buy('POST'),
        ...[...others, ...spared].map(customer => customer.buy('GET')),
      ])
      await Promise.all([...others, ...spared].map(customer => customer.buy('POST')))
      expect(posted?.status).toBe(504)
      // Slow is not dead: without a check or a refused connection that says so, no session leaves its cart behind.
      for (const { purchases } of others)
        expect(purchases.map(({ status }) => status)).toEqual([200, 504, 504])
      for (const { purchases } of spared)
        expect(purchases.map(({ status }) => status)).toEqual([200, 200, 200])
      for (const { shops: ids } of spared) expect(ids).toEqual(['w2'])
      shops[0]?.thaw()
    })
  })
}
