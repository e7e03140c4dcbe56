import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import type { FailureKind } from '../failure.ts'
import {
  affinityOf,
  cookieAt,
  events,
  fail,
  healthy,
  leaseOf,
  redispatch,
  spread,
  START,
  visit,
} from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('requests that got no answer', () => {
  const passive = { fall: 3, retryAfter: '10s' } as const

  it('take their backend out after `fall` in a row, and no sooner', () => {
    const affinity = affinityOf('abc', { passive })
    const seen = events('limpet:health-changed')
    const cookie = cookieAt(affinity, 'a')
    fail(affinity, cookie, 'unreached')
    fail(affinity, cookie, 'unreached')
    visit(affinity, cookie)
    fail(affinity, cookie, 'unreached')
    fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('abc')
    fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('bc')
    expect(visit(affinity, cookie)).toMatchObject({ status: 'unavailable' })
    expect(spread(affinity, 40)).toEqual({ b: expect.any(Number) as number, c: expect.any(Number) as number })
    expect(seen).toEqual([
      { pool: 'default', backend: 'a', healthy: false, by: 'requests', reason: undefined },
    ])
  })

  it('are not counted without outlier detection', () => {
    const affinity = affinityOf('abc')
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 50; n += 1) fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('abc')
  })

  it.each<FailureKind>(['broken', 'timeout'])(
    'count when another backend answers the same request: %s',
    kind => {
      const affinity = affinityOf('abc', { passive, balance: 'first' })
      for (let n = 0; n < 3; n += 1) fail(affinity, '', kind)
      expect(healthy(affinity)).toBe('bc')
    },
  )

  it('a poison request that fails everywhere takes no backend out [T-52]', () => {
    const affinity = affinityOf('abc', { passive })
    const cookie = cookieAt(affinity, 'a')
    let tries = 0
    for (let n = 0; n < 200; n += 1) {
      vi.advanceTimersByTime(50)
      tries += fail(affinity, cookie, 'broken', false).length
    }
    expect(tries).toBeGreaterThan(250)
    expect(healthy(affinity)).toBe('abc')
  })

  it('a poison request that may not be retried takes no backend out [T-52]', () => {
    const affinity = affinityOf('abc', { passive })
    for (let n = 0; n < 100; n += 1) {
      const lease = leaseOf(affinity, '', { method: 'POST', hasBody: true })
      expect(redispatch(lease, { kind: 'broken', slow: false, cause: undefined })).toBeUndefined()
      lease.release()
    }
    expect(healthy(affinity)).toBe('abc')
  })

  it('a client that leaves is never the backend’s fault', () => {
    const affinity = affinityOf('abc', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 50; n += 1) leaseOf(affinity, cookie).release()
    expect(healthy(affinity)).toBe('abc')
  })

  it('count by status where that is asked for', () => {
    const affinity = affinityOf('abc', { passive: { ...passive, statuses: [503] } })
    const cookie = cookieAt(affinity, 'a')
    for (const statusCode of [503, 503, 500, 503, 503, 503]) {
      expect(healthy(affinity)).toBe('abc')
      const lease = leaseOf(affinity, cookie)
      lease.responded({ statusCode, headers: {} })
      lease.release()
    }
    expect(healthy(affinity)).toBe('bc')
  })

  it('take out at most half, and none when all are silent [T-52]', () => {
    const affinity = affinityOf('abcd', { passive, maxAttempts: 1 })
    const cookies = Array.from('abcd', id => cookieAt(affinity, id))
    for (let n = 0; n < 9; n += 1) for (const cookie of cookies) fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('abcd')
    visit(affinity, cookies[3])
    for (const cookie of cookies.slice(0, 3)) fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('cd')
  })

  it('are forgiven when all the other backends are silent too', () => {
    const affinity = affinityOf('abc', { passive, maxAttempts: 1 })
    const cookies = Array.from('abc', id => cookieAt(affinity, id))
    for (let n = 0; n < 3; n += 1) fail(affinity, cookies[0] ?? '', 'unreached')
    expect(healthy(affinity)).toBe('bc')
    for (let n = 0; n < 9; n += 1) for (const cookie of cookies) fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('abc')
    for (const [at, cookie] of cookies.entries()) expect(visit(affinity, cookie).backend).toBe('abc'[at])
  })

  it('a pool of one keeps it', () => {
    const affinity = affinityOf('a', { passive })
    for (let n = 0; n < 9; n += 1) fail(affinity, '', 'unreached')
    expect(healthy(affinity)).toBe('a')
  })

  it('one request at a time finds out whether it is well again, and its sessions stay where they went', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 3; n += 1) fail(affinity, cookie, 'unreached')
    const moved = visit(affinity, cookie)
    expect(moved.backend).toBe('b')
    vi.advanceTimersByTime(9_999)
    expect(spread(affinity, 10)).toEqual({ b: 10 })
    vi.advanceTimersByTime(1)
    const leases = Array.from({ length: 10 }, () => leaseOf(affinity))
    expect(leases.filter(lease => lease.backend.id === 'a')).toHaveLength(1)
    expect(visit(affinity, cookie).backend).toBe('b')
    const trial = leases.find(lease => lease.backend.id === 'a')
    trial?.responded({ statusCode: 200, headers: {} })
    for (const lease of leases) lease.release()
    expect(healthy(affinity)).toBe('ab')
    expect(spread(affinity, 10)).toEqual({ a: 5, b: 5 })
    expect(visit(affinity, moved.cookie)).toMatchObject({ backend: 'b', status: 'matched' })
  })

  it('a trial whose client leaves is given to the next', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 3; n += 1) fail(affinity, cookie, 'unreached')
    vi.advanceTimersByTime(10_000)
    for (let n = 0; n < 3; n += 1) {
      const trial = leaseOf(affinity, cookie)
      expect(trial.backend.id).toBe('a')
      expect(leaseOf(affinity, cookie).backend.id).toBe('b')
      trial.release()
    }
    expect(visit(affinity, cookie).backend).toBe('a')
    expect(healthy(affinity)).toBe('ab')
  })

  it('the way back doubles on relapse, up to a minute [T-56]', () => {
    const affinity = affinityOf('ab', { passive: { fall: 1, retryAfter: '5s' } })
    const cookie = cookieAt(affinity, 'a')
    fail(affinity, cookie, 'unreached')
    const waits: number[] = []
    for (let n = 0; n < 6; n += 1) {
      let waited = 0
      while (leaseOrRelease(affinity, cookie) !== 'a') {
        vi.advanceTimersByTime(1_000)
        waited += 1
      }
      waits.push(waited)
      fail(affinity, cookie, 'unreached')
    }
    expect(waits).toEqual([5, 10, 20, 40, 60, 60])
    vi.advanceTimersByTime(60_000)
    visit(affinity, cookie)
    vi.advanceTimersByTime(60_001)
    fail(affinity, cookie, 'unreached')
    vi.advanceTimersByTime(5_000)
    expect(visit(affinity, cookie).backend).toBe('a')
  })

  it('a trial that fails everywhere costs another pause of the same length [T-52]', () => {
    const affinity = affinityOf('abc', { passive: { fall: 1, retryAfter: '5s' } })
    const cookie = cookieAt(affinity, 'a')
    fail(affinity, cookie, 'unreached')
    for (let n = 0; n < 4; n += 1) {
      vi.advanceTimersByTime(4_999)
      expect(leaseOrRelease(affinity, cookie)).not.toBe('a')
      vi.advanceTimersByTime(1)
      expect(fail(affinity, cookie, 'broken', false)[0]).toBe('a')
    }
    vi.advanceTimersByTime(5_000)
    // Another has answered it, so it was not the request's doing.
    expect(fail(affinity, cookie, 'broken')[0]).toBe('a')
    vi.advanceTimersByTime(9_999)
    expect(leaseOrRelease(affinity, cookie)).not.toBe('a')
    vi.advanceTimersByTime(1)
    expect(visit(affinity, cookie).backend).toBe('a')
    expect(healthy(affinity)).toBe('abc')
  })

  it('of before its trial say nothing of the trial', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    const download = leaseOf(affinity, cookie)
    for (let n = 0; n < 3; n += 1) fail(affinity, cookie, 'unreached')
    vi.advanceTimersByTime(10_000)
    const trial = leaseOf(affinity, cookie)
    expect(trial.backend.id).toBe('a')
    redispatch(download, { kind: 'truncated', slow: false, cause: undefined })
    trial.responded({ statusCode: 200, headers: {} })
    expect(healthy(affinity)).toBe('ab')
    trial.release()
    download.release()
  })

  it('are the fault of the first backend that received the request, not of an unreachable one', () => {
    const affinity = affinityOf('abcd', { passive: { ...passive, fall: 1 }, balance: 'first' })
    const lease = leaseOf(affinity)
    for (const kind of ['unreached', 'broken'] as const)
      redispatch(lease, { kind, slow: false, cause: undefined })
    expect(lease.backend.id).toBe('c')
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
    expect(healthy(affinity)).toBe('cd')
  })

  it('are forgotten when a health check has found it up again', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 2; n += 1) fail(affinity, cookie, 'unreached')
    affinity.pool.setHealthy('a', false)
    affinity.pool.setHealthy('a', true)
    for (let n = 0; n < 2; n += 1) fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('ab')
    fail(affinity, cookie, 'unreached')
    expect(healthy(affinity)).toBe('b')
  })

  it('keep it out no longer when the clock is set back', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 3; n += 1) fail(affinity, cookie, 'unreached')
    vi.setSystemTime(START - 3_600_000)
    expect(spread(affinity, 4)).toEqual({ a: 2, b: 2 })
    expect(healthy(affinity)).toBe('ab')
  })

  it('a health check that has seen it down and up again brings it back', () => {
    const affinity = affinityOf('ab', { passive })
    const cookie = cookieAt(affinity, 'a')
    for (let n = 0; n < 3; n += 1) fail(affinity, cookie, 'unreached')
    affinity.pool.setHealthy('a', false)
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'a', status: 'matched' })
  })

  it('whatever happens, a backend is left to try', () => {
    const step = fc.record({
      at: fc.nat(3),
      kind: fc.constantFrom<FailureKind | 'answer'>('answer', 'unreached', 'broken', 'timeout'),
      ms: fc.constantFrom(0, 100, 10_000, 70_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const affinity = affinityOf('abcd', { passive: { fall: 2, retryAfter: '1s' } })
        const cookies = Array.from('abcd', id => cookieAt(affinity, id))
        for (const { at, kind, ms } of steps) {
          vi.advanceTimersByTime(ms)
          if (kind === 'answer') visit(affinity, cookies[at])
          else fail(affinity, cookies[at] ?? '', kind)
          expect(healthy(affinity).length).toBeGreaterThanOrEqual(2)
          expect(affinity.pool.inFlight).toBe(0)
        }
      }),
      { numRuns: 200 },
    )
  })

  function leaseOrRelease(affinity: Affinity, cookie: string): string {
    const lease = leaseOf(affinity, cookie)
    lease.release()
    return lease.backend.id
  }
})
