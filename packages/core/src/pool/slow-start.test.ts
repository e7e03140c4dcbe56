import { describe, expect, it, vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import { affinityOf, codeOf, cookieAt, leaseOf, spread, START, visit } from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('slow start', () => {
  const slowStart = '20s'

  it('is not for backends that are present at the start, nor for those found up or down before the first request', () => {
    const affinity = affinityOf('abc', { slowStart })
    affinity.pool.setHealthy('c', false)
    affinity.pool.setHealthy('c', true)
    affinity.pool.add({ id: 'd', url: 'http://d.test' })
    expect(spread(affinity, 40)).toEqual({ a: 10, b: 10, c: 10, d: 10 })
  })

  it.each<[string, (affinity: Affinity) => void]>([
    ['comes back', ({ pool }) => (pool.setHealthy('b', false), pool.setHealthy('b', true))],
    ['comes from maintenance', ({ pool }) => (pool.setState('b', 'maint'), pool.setState('b', 'ready'))],
    ['is added', ({ pool }) => (pool.remove('b'), void pool.add({ id: 'b', url: 'http://new.test' }))],
    [
      'is added in maintenance and then made ready',
      ({ pool }) => {
        pool.remove('b')
        pool.add({ id: 'b', url: 'http://new.test', state: 'maint' })
        vi.advanceTimersByTime(60_000)
        pool.setState('b', 'ready')
      },
    ],
  ])('one that %s gets its share of new sessions step by step [T-54]', (_what, happens) => {
    const affinity = affinityOf('ab', { slowStart })
    visit(affinity)
    happens(affinity)
    const shares: number[] = []
    for (let second = 0; second < 24; second += 4) {
      shares.push(spread(affinity, 400)['b'] ?? 0)
      vi.advanceTimersByTime(4_000)
    }
    expect(shares.toSorted((one, other) => one - other)).toEqual(shares)
    expect(shares[0]).toBeLessThan(30)
    expect(shares[0]).toBeGreaterThan(5)
    expect(shares.at(-1)).toBe(200)
  })

  it('serves its own sessions at once', () => {
    const affinity = affinityOf('ab', { slowStart })
    const cookie = cookieAt(affinity, 'b')
    affinity.pool.setHealthy('b', false)
    affinity.pool.setHealthy('b', true)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'b', status: 'matched' })
  })

  it('begins again when the clock is set back', () => {
    const affinity = affinityOf('ab', { slowStart })
    visit(affinity)
    affinity.pool.setHealthy('b', false)
    affinity.pool.setHealthy('b', true)
    vi.advanceTimersByTime(10_000)
    spread(affinity, 4)
    vi.setSystemTime(START - 3_600_000)
    expect(spread(affinity, 400)['b']).toBeLessThan(30)
    vi.advanceTimersByTime(20_000)
    expect(spread(affinity, 20)).toEqual({ a: 10, b: 10 })
  })

  it('costs nothing when all of them come back', () => {
    const affinity = affinityOf('ab', { slowStart })
    visit(affinity)
    for (const id of 'ab') affinity.pool.setHealthy(id, false)
    expect(codeOf(() => leaseOf(affinity))).toBe('ERR_NO_BACKEND')
    for (const id of 'ab') affinity.pool.setHealthy(id, true)
    expect(spread(affinity, 20)).toEqual({ a: 10, b: 10 })
  })

  it('leaves a drain that was called off alone: it never went away', () => {
    const affinity = affinityOf('ab', { slowStart })
    visit(affinity)
    affinity.pool.setState('b', 'drain')
    affinity.pool.setState('b', 'ready')
    expect(spread(affinity, 20)).toEqual({ a: 10, b: 10 })
  })

  it.each([
    ['round-robin', 60],
    ['least-requests', 60],
    ['random', 60],
    // Two are drawn without a look at weights, and load decides: it evens out by weight.
    ['random-two', 60],
    // Balancer `first` takes the first of the list, whatever its weight.
    ['first', 400],
  ] as const)('holds for %s', (balance, most) => {
    const affinity = affinityOf('ba', { slowStart, balance })
    visit(affinity)
    affinity.pool.setHealthy('b', false)
    affinity.pool.setHealthy('b', true)
    const counts = { a: 0, b: 0 }
    for (let n = 0; n < 400; n += 1) counts[leaseOf(affinity).backend.id as 'a' | 'b'] += 1
    expect(counts.b).toBeLessThanOrEqual(most)
  })

  it('moves each key of a hash at most once, and only to the one that comes back', () => {
    const balance = { hash: 'header:x-key' } as const
    const affinity = affinityOf('abc', { slowStart, balance, affinity: [] })
    const keys = Array.from({ length: 600 }, (_, n) => `key${n}`)
    const placed = (): string[] =>
      keys.map(key => {
        const lease = leaseOf(affinity, '', { headers: { host: 'web.test', 'x-key': key } })
        lease.release()
        return lease.backend.id
      })
    const before = placed()
    affinity.pool.setHealthy('c', false)
    let last = placed()
    affinity.pool.setHealthy('c', true)
    for (let second = 0; second <= 20; second += 1) {
      const now = placed()
      now.forEach((id, at) => expect(id === last[at] || id === 'c').toBe(true))
      last = now
      vi.advanceTimersByTime(1_000)
    }
    expect(last).toEqual(before)
  })
})
