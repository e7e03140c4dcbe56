import { describe, expect, it, vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import type { Candidates } from './candidates.ts'
import type { RequestHead } from '../head.ts'
import type { BackendView } from './backend-view.ts'
import {
  affinityOf,
  codeOf,
  cookieAt,
  events,
  fail,
  leaseOf,
  request,
  START,
  visit,
} from './pool-visits.fixture.ts'
import { waiting, enqueue, settle } from './waiters.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('a request that waits', () => {
  it('for its own backend has its turn as soon as there is room, first come first served [LB006]', async () => {
    const affinity = affinityOf('ab', waiting)
    const cookie = cookieAt(affinity, 'a')
    const seen = events('limpet:queued')
    const first = leaseOf(affinity, cookie)
    const waiters = Array.from({ length: 3 }, () => enqueue(affinity, cookie))
    const outcomes = (): string[] => waiters.map(({ outcome }) => outcome)
    await settle()
    expect(outcomes()).toEqual(['waits', 'waits', 'waits'])
    first.release()
    await settle()
    expect(outcomes()).toEqual(['a', 'waits', 'waits'])
    waiters[1]?.leave()
    waiters[0]?.lease?.release()
    await settle()
    expect(outcomes()).toEqual(['a', 'left', 'a'])
    waiters[2]?.lease?.release()
    expect(affinity.pool.backends.map(view => view.inFlight)).toEqual([0, 0])
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ pool: 'default', backend: 'a' })))
    expect(affinity.pool.queued).toBe(0)
  })

  it('overflows to another when the queue is full, and is refused when all are [LB006]', () => {
    const affinity = affinityOf('ab', { ...waiting, maxQueue: 1 })
    const cookie = cookieAt(affinity, 'a')
    leaseOf(affinity, cookie)
    const second = enqueue(affinity, cookie)
    expect(leaseOf(affinity, cookie).backend.id).toBe('b')
    const third = enqueue(affinity, cookie)
    expect(codeOf(() => affinity.select(request(cookie)))).toBe('ERR_NO_BACKEND')
    second.leave()
    third.leave()
  })

  it('for any backend takes the first that has room', async () => {
    const affinity = affinityOf('ab', waiting)
    const cookie = cookieAt(affinity, 'a')
    const [a, b] = [leaseOf(affinity, cookie), leaseOf(affinity)]
    const bound = enqueue(affinity, cookie)
    const unbound = enqueue(affinity)
    b.release()
    await settle()
    expect([bound.outcome, unbound.outcome]).toEqual(['waits', 'b'])
    const another = enqueue(affinity)
    a.release()
    await settle()
    expect([bound.outcome, another.outcome]).toEqual(['a', 'waits'])
    bound.lease?.release()
    await settle()
    expect(another.outcome).toBe('a')
  })

  it('gets 503 at its timeout', async () => {
    const affinity = affinityOf('a', waiting)
    leaseOf(affinity)
    const waiter = enqueue(affinity)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(waiter.outcome).toBe('waits')
    await vi.advanceTimersByTimeAsync(1)
    expect(waiter.outcome).toBe('ERR_NO_BACKEND')
    expect(affinity.pool.queued).toBe(0)
  })

  it.each<[string, string, (affinity: Affinity) => void]>([
    ['goes down', 'b', ({ pool }) => pool.setHealthy('a', false)],
    ['is taken into maintenance', 'b', ({ pool }) => pool.setState('a', 'maint')],
    ['leaves the pool', 'b', ({ pool }) => void pool.remove('a')],
    [
      'gets more room',
      'a',
      ({ pool }) => pool.replace(pool.backends.map(({ backend }) => ({ ...backend, maxInFlight: 2 }))),
    ],
  ])('is placed anew when its backend %s', async (_what, expected, happens) => {
    const affinity = affinityOf('ab', waiting)
    const cookie = cookieAt(affinity, 'a')
    leaseOf(affinity, cookie)
    const waiter = enqueue(affinity, cookie)
    happens(affinity)
    await settle()
    expect(waiter.outcome).toBe(expected)
  })

  it('for any backend, since the queue of its own is full, takes the first that has room', async () => {
    const affinity = affinityOf('ab', { ...waiting, maxQueue: 1 })
    const cookie = cookieAt(affinity, 'a')
    leaseOf(affinity, cookie)
    const other = leaseOf(affinity)
    expect(other.backend.id).toBe('b')
    const bound = enqueue(affinity, cookie)
    const overflow = enqueue(affinity, cookie)
    other.release()
    await settle()
    expect([bound.outcome, overflow.outcome]).toEqual(['waits', 'b'])
    bound.leave()
  })

  it('takes the first with room when its backend was removed', async () => {
    const affinity = affinityOf('ab', waiting)
    const cookie = cookieAt(affinity, 'a')
    leaseOf(affinity, cookie)
    const other = leaseOf(affinity)
    const bound = enqueue(affinity, cookie)
    affinity.pool.setHealthy('a', false)
    const later = enqueue(affinity)
    await settle()
    expect(bound.outcome).toBe('waits')
    other.release()
    await settle()
    expect([bound.outcome, later.outcome]).toEqual(['b', 'waits'])
    later.leave()
    expect(affinity.pool.queued).toBe(0)
  })

  it('goes back to its own line when its backend is back, and full', async () => {
    const affinity = affinityOf('ab', { ...waiting, waitForBackend: '3s' })
    const cookies = [cookieAt(affinity, 'a'), cookieAt(affinity, 'a')]
    for (const id of 'ab') affinity.pool.setHealthy(id, false)
    const waiters = cookies.map(cookie => enqueue(affinity, cookie))
    affinity.pool.setHealthy('a', true)
    affinity.pool.setHealthy('b', true)
    await settle()
    expect(waiters.map(({ outcome }) => outcome)).toEqual(['a', 'waits'])
    waiters[0]?.lease?.release()
    await settle()
    expect(waiters[1]?.outcome).toBe('a')
  })

  it('has its turn when an ejected backend can be tried again', async () => {
    const passive = { fall: 1, retryAfter: '2s' } as const
    const affinity = affinityOf('ab', { passive, waitForBackend: '3s' })
    fail(affinity, cookieAt(affinity, 'a'), 'unreached')
    affinity.pool.setHealthy('b', false)
    const waiters = [enqueue(affinity), enqueue(affinity)]
    await vi.advanceTimersByTimeAsync(1_999)
    expect(waiters.map(({ outcome }) => outcome)).toEqual(['waits', 'waits'])
    await vi.advanceTimersByTimeAsync(1)
    expect(waiters.map(({ outcome }) => outcome)).toEqual(['a', 'waits'])
    waiters[0]?.lease?.responded({ statusCode: 200, headers: {} })
    await settle()
    expect(waiters[1]?.outcome).toBe('a')
  })

  it('gets the error that its balancer throws, and no other request does', async () => {
    let isBroken = false
    const balance = {
      name: 'broken',
      pick: (candidates: Candidates, _head: RequestHead, accepts?: (view: BackendView) => boolean) => {
        if (isBroken) throw Object.assign(new Error('broken'), { code: 'BROKEN' })
        return candidates.find(view => accepts?.(view) !== false)
      },
    }
    const affinity = affinityOf('a', { ...waiting, balance })
    const lease = leaseOf(affinity)
    const waiter = enqueue(affinity)
    isBroken = true
    lease.release()
    await settle()
    expect(waiter.outcome).toBe('BROKEN')
    expect(affinity.pool.queued).toBe(0)
  })

  it('waits for a backend to join when configured, and no longer', async () => {
    const affinity = affinityOf('a', { waitForBackend: '3s' })
    affinity.pool.setHealthy('a', false)
    const [first, second, third] = [enqueue(affinity), enqueue(affinity), enqueue(affinity)]
    await vi.advanceTimersByTimeAsync(2_000)
    third.leave()
    await settle()
    expect([first.outcome, third.outcome]).toEqual(['waits', 'left'])
    affinity.pool.setHealthy('a', true)
    await settle()
    expect([first.outcome, second.outcome, third.outcome]).toEqual(['a', 'a', 'left'])
    affinity.pool.setHealthy('a', false)
    const late = enqueue(affinity)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(late.outcome).toBe('ERR_NO_BACKEND')
  })

  it('waits for its own backend where sessions are not to move', async () => {
    const affinity = affinityOf('ab', { waitForBackend: '3s', onUnavailable: 'reject' })
    const cookie = cookieAt(affinity, 'a')
    affinity.pool.setHealthy('a', false)
    const waiter = enqueue(affinity, cookie)
    visit(affinity)
    await settle()
    expect(waiter.outcome).toBe('waits')
    affinity.pool.setHealthy('a', true)
    await settle()
    expect(waiter.outcome).toBe('a')
  })

  it('is one of a bounded number', () => {
    const affinity = affinityOf('a', { waitForBackend: '3s', maxQueue: 2 })
    affinity.pool.setHealthy('a', false)
    const waiters = [enqueue(affinity), enqueue(affinity)]
    expect(codeOf(() => affinity.select(request()))).toBe('ERR_NO_BACKEND')
    for (const waiter of waiters) waiter.leave()
  })
})
