import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startBackendProcess } from '../support/backend-process.ts'
import { Customer, type Purchase } from '../support/customer.ts'
import type { Start } from './start.ts'

/** Backends that are killed, or that are alive and do nothing. */
export function deadProcesses(start: Start): void {
  describe('processes that die', () => {
    test('kill -9 under load costs nobody anything but what was being done there [T-50, T-51]', async () => {
      const shops = await Promise.all(['w1', 'w2', 'w3'].map(startBackendProcess))
      const [victim] = shops
      const gateway = await start(shops.map(shop => shop.options))
      const customers = Array.from({ length: 50 }, (_, index) => new Customer(gateway.port, index))
      const endMs = performance.now() + 3_000
      const shopping = Promise.all(customers.map(customer => customer.shopUntil(endMs)))
      await delay(1_000)
      const inFlight = gateway.view({ id: 'w1' }).inFlight
      const killedMs = performance.now()
      await victim?.kill()
      const goneMs = performance.now()
      await shopping

      const [hit, spared] = [
        customers.filter(({ first }) => first === 'w1'),
        customers.filter(({ first }) => first !== 'w1'),
      ]
      const lost = customers.flatMap(({ purchases }) => purchases.filter(({ status }) => status !== 200))
      const answered = customers.flatMap(({ purchases }) => purchases.filter(({ status }) => status === 200))
      const slowest = Math.max(
        ...customers.flatMap(({ purchases }) =>
          purchases.map(({ startedMs, endedMs }) => endedMs - startedMs),
        ),
      )
      console.log(
        `kill -9: ${answered.length} answered, ${lost.length} lost (${inFlight} in flight there), ` +
          `slowest ${slowest.toFixed(0)} ms, last loss ${(Math.max(killedMs, ...lost.map(({ endedMs }) => endedMs)) - killedMs).toFixed(0)} ms after; ` +
          `${hit.length} sessions there, ${hit.filter(({ shops: { length } }) => length === 2).length} moved`,
      )

      expect(hit.length).toBeGreaterThan(10)
      expect(answered.length).toBeGreaterThan(1_000)
      for (const { purchases } of customers) expect(purchases.length).toBeGreaterThan(10)
      expect(spared.flatMap(({ purchases }) => purchases.filter(({ status }) => status !== 200))).toEqual([])
      for (const { shops: ids, cookies } of spared) expect([ids.length, cookies]).toEqual([1, 1])
      for (const { shops: ids, cookies } of hit) expect([ids.length, cookies]).toEqual([2, 2])
      // A POST whose bytes were there when it died may have had its effect: that alone may be lost, and not for long.
      const isExcused = ({ method, status, startedMs }: Purchase) =>
        method === 'POST' && status === 502 && startedMs <= goneMs
      expect(lost.filter(purchase => !isExcused(purchase))).toEqual([])
      expect(lost.length).toBeLessThanOrEqual(inFlight + 2)
      expect(slowest).toBeLessThan(1_000)
      // Every POST was done once where it was answered, and never in two places.
      const doers = new Map<string, number>()
      for (const name of shops.flatMap(({ begun }) => begun)) doers.set(name, (doers.get(name) ?? 0) + 1)
      const posts = customers.flatMap(({ purchases }) => purchases.filter(({ method }) => method === 'POST'))
      expect(posts.filter(({ name }) => (doers.get(name) ?? 0) > 1)).toEqual([])
      expect(posts.filter(({ name, status }) => status === 200 && doers.get(name) !== 1)).toEqual([])
      // And every cart holds what was put into it.
      for (const { mistakes } of customers) expect(mistakes).toEqual([])
    })

    test('a backend that is alive and does nothing costs each of its sessions one wait [T-50]', async () => {
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
      for (const { purchases } of [...others, ...spared])
        expect(purchases.map(({ status }) => status)).toEqual([200, 200, 200])
      for (const { shops: ids, purchases } of others) {
        expect(ids).toEqual(['w1', 'w2'])
        expect((purchases[1]?.endedMs ?? 0) - (purchases[1]?.startedMs ?? 0)).toBeLessThan(800)
      }
      for (const { shops: ids } of spared) expect(ids).toEqual(['w2'])
      shops[0]?.thaw()
    })
  })
}
