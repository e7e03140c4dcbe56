import { describe, expect, it, vi } from 'vitest'
import { affinityOf, cookieAt, events, leaseOf, START, timedAffinity, visit } from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('the deadline of a drain', () => {
  it('moves remaining sessions at its deadline, and recalls requests without an end', async () => {
    const affinity = timedAffinity()
    const cookie = cookieAt(affinity, 'a')
    const [tunnel, download, gone] = [
      leaseOf(affinity, cookie),
      leaseOf(affinity, cookie),
      leaseOf(affinity, cookie),
    ]
    const recalled: string[] = []
    tunnel.onceRecalled(() => {
      recalled.push('tunnel')
      tunnel.release()
    })
    gone.onceRecalled(() => recalled.push('gone'))
    gone.release()
    const drain = affinity.pool.drain('a', { deadline: '10s' })
    await vi.advanceTimersByTimeAsync(9_999)
    expect(recalled).toEqual([])
    expect(visit(affinity, cookie).backend).toBe('a')
    await vi.advanceTimersByTimeAsync(1)
    expect(recalled).toEqual(['tunnel'])
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'b', status: 'unavailable' })
    download.release()
    expect(await drain.drained).toEqual({
      outcome: 'deadline',
      inFlight: 0,
      sessions: 1,
      sessionsEstimated: false,
    })
  })

  it('moves remaining sessions over its spread, each once and for good', async () => {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '10h' } }] })
    const cookies = Array.from({ length: 200 }, () => {
      vi.advanceTimersByTime(1_000)
      return cookieAt(affinity, 'a')
    })
    affinity.pool.drain('a', { deadline: '10s', spread: '100s' })
    const stayed = (): Set<string> =>
      new Set(cookies.filter(cookie => visit(affinity, cookie).status === 'matched'))
    await vi.advanceTimersByTimeAsync(9_999)
    expect(stayed().size).toBe(200)
    let before = stayed()
    for (const [afterMs, least, most] of [
      [25_000, 120, 180],
      [25_000, 70, 130],
      [25_000, 25, 75],
    ] as const) {
      await vi.advanceTimersByTimeAsync(afterMs)
      const now = stayed()
      expect(now.size).toBeGreaterThan(least)
      expect(now.size).toBeLessThan(most)
      expect(now.isSubsetOf(before)).toBe(true)
      before = now
    }
    expect(affinity.pool.find('a')?.state).toBe('drain')
    await vi.advanceTimersByTimeAsync(25_001)
    expect([stayed().size, affinity.pool.find('a')?.state]).toEqual([0, 'maint'])
    expect(affinity.stats().backends[0]).toMatchObject({
      drain: undefined,
      lastDrain: { outcome: 'deadline', inFlight: 0 },
      sessionsMoved: { drained: expect.any(Number) as number },
    })
  })

  it('closes the tunnels of its sessions over its spread, in the order in which these move', async () => {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '10h' } }] })
    const wrong: string[] = []
    let closed = 0
    for (let n = 0; n < 50; n += 1) {
      vi.advanceTimersByTime(1_000)
      const cookie = cookieAt(affinity, 'a')
      const tunnel = leaseOf(affinity, cookie)
      tunnel.onceRecalled(() => {
        closed += 1
        tunnel.release()
        if (visit(affinity, cookie).backend === 'a') wrong.push(cookie)
      })
    }
    const { drained } = affinity.pool.drain('a', { deadline: 0, spread: '100s' })
    await vi.advanceTimersByTimeAsync(50_000)
    expect(closed).toBeGreaterThan(10)
    expect(closed).toBeLessThan(40)
    await vi.advanceTimersByTimeAsync(50_001)
    expect([closed, wrong]).toEqual([50, []])
    expect(await drained).toMatchObject({ outcome: 'deadline', inFlight: 0 })
  })

  it('is over before the end of its spread when no session is left', async () => {
    const affinity = timedAffinity()
    const cookie = cookieAt(affinity, 'a')
    const { drained } = affinity.pool.drain('a', { deadline: 0, spread: '1h' })
    await vi.advanceTimersByTimeAsync(31 * 60_000)
    expect(await drained).toMatchObject({ outcome: 'deadline', sessions: 1 })
    expect(visit(affinity, cookie).backend).toBe('b')
  })

  it('goes on in a pool that takes over, with its deadline, and is told of once', async () => {
    const before = timedAffinity()
    cookieAt(before, 'a')
    const seen = events('limpet:drained')
    before.pool.drain('a', { deadline: '10s', spread: '2s' })
    await vi.advanceTimersByTimeAsync(4_000)
    const after = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '30m' } }] })
    after.pool.takeOver(before.pool)
    const startedAtMs = Date.now() - 4_000
    expect(after.pool.drainOf('a')).toMatchObject({
      startedAtMs,
      deadlineAtMs: startedAtMs + 10_000,
      spreadMs: 2_000,
      startedSessions: 1,
    })
    await vi.advanceTimersByTimeAsync(7_999)
    expect([after.pool.find('a')?.state, seen]).toEqual(['drain', []])
    await vi.advanceTimersByTimeAsync(1)
    expect(after.pool.find('a')?.state).toBe('maint')
    expect(seen).toMatchObject([{ backend: 'a', outcome: 'deadline' }])
    expect(after.stats().backends[0]?.lastDrain).toMatchObject({ startedAtMs, outcome: 'deadline' })
  })

  it('rejects sessions whose turn has come where they are to have no other backend', async () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const cookie = cookieAt(affinity, 'a')
    affinity.pool.drain('a', { deadline: 0, spread: '10s' })
    await vi.advanceTimersByTimeAsync(9_999)
    expect(() => visit(affinity, cookie)).toThrow(expect.objectContaining({ statusCode: 503 }) as Error)
    affinity.pool.setState('a', 'ready')
    expect(visit(affinity, cookie).backend).toBe('a')
  })

  it('recalls a tunnel that opens only after the deadline', async () => {
    const affinity = timedAffinity()
    const late = leaseOf(affinity)
    const { backend } = late
    const drain = affinity.pool.drain(backend.id, { deadline: '10s' })
    await vi.advanceTimersByTimeAsync(10_001)
    const recalled: string[] = []
    late.onceRecalled(() => {
      recalled.push('late')
      late.release()
    })
    expect(recalled).toEqual(['late'])
    expect(await drain.drained).toMatchObject({ outcome: 'deadline', inFlight: 0 })
    affinity.pool.setState(backend.id, 'ready')
    const lease = leaseOf(affinity, cookieAt(affinity, backend.id))
    lease.onceRecalled(() => recalled.push('back'))
    expect(recalled).toEqual(['late'])
    lease.release()
  })
})
