import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { FailureKind } from '../failure.ts'
import { affinityOf, events, fail, START, visit } from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('the retry budget', () => {
  it('lets a share of recent requests be made again, and always a few [T-51]', () => {
    const affinity = affinityOf('abc', { retryBudget: { ratio: 0.2, minPerSecond: 1 } })
    const seen = events('limpet:retry-budget-exhausted')
    const retriesOf = (requests: number): number => {
      let retries = 0
      for (let n = 0; n < requests; n += 1) {
        vi.advanceTimersByTime(10)
        retries += fail(affinity, '', 'broken', false).length - 1
      }
      return retries
    }
    // 1 a second, for ten seconds: the floor.
    expect(retriesOf(6)).toBe(10)
    // A quiet time brings it back, once.
    vi.advanceTimersByTime(600_000)
    expect(retriesOf(6)).toBe(10)
    for (let n = 0; n < 3_000; n += 1) {
      vi.advanceTimersByTime(10)
      visit(affinity)
    }
    // 100 a second: 20 of them again.
    const share = retriesOf(1_000)
    expect(share).toBeGreaterThan(180)
    expect(share).toBeLessThan(500)
    expect(seen.length).toBeGreaterThan(0)
  })

  it.each<[string, number]>([
    ['from the start', 0],
    ['after a quiet night', 8 * 3_600_000],
  ])('knows the traffic of the last ten seconds, %s', (_when, quietMs) => {
    const affinity = affinityOf('abc', { retryBudget: { ratio: 0.2, minPerSecond: 1 } })
    if (quietMs > 0) fail(affinity, '', 'broken', false)
    vi.advanceTimersByTime(quietMs)
    for (let n = 0; n < 6_000; n += 1) {
      vi.advanceTimersByTime(10)
      visit(affinity)
    }
    let retries = 0
    for (let n = 0; n < 200; n += 1) retries += fail(affinity, '', 'broken', false).length - 1
    expect(retries).toBeGreaterThan(180)
    expect(retries).toBeLessThan(260)
  })

  it('does not keep a request from backends that have not received it', () => {
    const affinity = affinityOf('abc', { retryBudget: { ratio: 0, minPerSecond: 0 } })
    expect(fail(affinity, '', 'broken', false)).toHaveLength(1)
    for (let n = 0; n < 100; n += 1) expect(fail(affinity, '', 'unreached', false)).toHaveLength(3)
  })

  it('in any outage, backends see at most the share and the floor more than the clients have asked', () => {
    const kinds = fc.constantFrom<FailureKind>('unreached', 'broken', 'timeout')
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, fc.nat(200)), { minLength: 50, maxLength: 400 }), failures => {
        const affinity = affinityOf('abc', { retryBudget: { ratio: 0.2, minPerSecond: 1 } })
        const start = Date.now()
        let seenBy = 0
        for (const [kind, ms] of failures) {
          vi.advanceTimersByTime(ms)
          const tries = fail(affinity, '', kind, false).length
          seenBy += kind === 'unreached' ? 1 : tries
        }
        const windows = 1 + (Date.now() - start) / 10_000
        expect(seenBy).toBeLessThanOrEqual(1.25 * failures.length + 10 * windows + 1)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the pool tells the diagnostics', () => {
  it('operators’ commands, and backends that join and leave', () => {
    const affinity = affinityOf('ab')
    const states = events('limpet:state-changed')
    const members = events('limpet:members-changed')
    const health = events('limpet:health-changed')
    const { pool } = affinity
    pool.setState('a', 'maint')
    pool.setState('a', 'maint')
    pool.replace([
      { id: 'a', url: 'http://a.test', state: 'ready' },
      { id: 'b', url: 'http://other.test' },
    ])
    pool.add({ id: 'c', url: 'http://c.test' })
    pool.remove('a')
    pool.setHealthy('c', false, 'status 500')
    pool.setHealthy('c', false, 'status 500')
    expect(states).toEqual([
      { pool: 'default', backend: 'a', state: 'maint', by: 'command' },
      { pool: 'default', backend: 'a', state: 'ready', by: 'command' },
    ])
    expect(members).toEqual([
      { pool: 'default', added: ['b'], removed: ['b'] },
      { pool: 'default', added: ['c'], removed: [] },
      { pool: 'default', added: [], removed: ['a'] },
    ])
    expect(health).toEqual([
      { pool: 'default', backend: 'c', healthy: false, by: 'check', reason: 'status 500' },
    ])
  })
})
