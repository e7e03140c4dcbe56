import type { LivePool } from './live-pool.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lease } from '../lease.ts'
import { affinityOf, cookieAt, leaseOf, request, START } from './pool-visits.fixture.ts'
import { type Waiter, enqueue, watched, settle, waiting } from './waiters.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('requests that wait', () => {
  it('through all arrivals and departures: keeps the order, leaves no room unused, and exceeds no limit', async () => {
    const step = fc.constantFrom('come', 'end', 'leave')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(20)), { maxLength: 60 }), async steps => {
        const affinity = affinityOf('ab', { ...waiting, maxInFlight: 2, maxQueue: 100 })
        const held: Lease[] = []
        const waiters: ReturnType<typeof enqueue>[] = []
        for (const [what, at] of steps) {
          if (what === 'end') held.splice(at % Math.max(held.length, 1), 1)[0]?.release()
          else if (what === 'leave') waiters.splice(at % Math.max(waiters.length, 1), 1)[0]?.leave()
          else if (affinity.pool.inFlight === 4) waiters.push(enqueue(affinity))
          else held.push(leaseOf(affinity))
          await settle()
          const served = waiters.filter(({ lease }) => lease !== undefined)
          expect(served).toEqual(waiters.slice(0, served.length))
          held.push(...waiters.splice(0, served.length).flatMap(({ lease }) => lease ?? []))
          expect(affinity.pool.inFlight).toBe(held.length)
          expect(held.length === 4 || waiters.length === 0).toBe(true)
          expect(held.length).toBeLessThanOrEqual(4)
        }
        for (const waiter of waiters) waiter.leave()
        expect(affinity.pool.queued).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it('whatever happens to backends, no request waits while it could be served', async () => {
    const step = fc.tuple(
      fc.constantFrom('come', 'come', 'come', 'come', 'end', 'end', 'leave', 'down', 'up', 'maint', 'ready'),
      fc.constantFrom('a', 'a', 'b', ''),
      fc.nat(20),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80 }), async steps => {
        const maxQueue = 2
        const affinity = affinityOf('ab', { ...waiting, maxQueue, waitForBackend: '10s' })
        const { pool } = affinity
        const cookies = new Map(Array.from('ab', id => [id, cookieAt(affinity, id)]))
        const held: Lease[] = []
        let waiters: { readonly id: string; readonly waiter: Waiter }[] = []
        for (const [what, id, at] of steps) {
          if (what === 'end') held.splice(at % Math.max(held.length, 1), 1)[0]?.release()
          else if (what === 'leave') waiters.splice(at % Math.max(waiters.length, 1), 1)[0]?.waiter.leave()
          else if (what === 'come' && (pool as LivePool).queue.hasRoom()) {
            const leave: (() => void)[] = []
            const lease = affinity.select(request(cookies.get(id)), onGone => leave.push(onGone))
            if (lease instanceof Promise) waiters.push({ id, waiter: watched(lease, () => leave[0]?.()) })
            else held.push(lease)
          } else if (id !== '' && (what === 'down' || what === 'up')) pool.setHealthy(id, what === 'up')
          else if (id !== '' && (what === 'maint' || what === 'ready')) pool.setState(id, what)
          await settle()
          held.push(...waiters.flatMap(({ waiter }) => waiter.lease ?? []))
          waiters = waiters.filter(({ waiter }) => waiter.lease === undefined)
          expect(pool.inFlight).toBe(held.length)
          expect(pool.queued).toBe(waiters.length)
          for (const view of pool.backends) expect(view.inFlight).toBeLessThanOrEqual(1)
          const free = pool.candidates.filter(view => view.inFlight === 0).map(view => view.backend.id)
          const starving = waiters.filter(({ id: own }, index) => {
            if (free.length === 0) return false
            if (pool.find(own)?.isUsable !== true || free.includes(own)) return true
            return waiters.slice(0, index).filter(one => one.id === own).length >= maxQueue
          })
          expect(starving).toEqual([])
        }
        for (const { waiter } of waiters) waiter.leave()
        expect(pool.queued).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})
