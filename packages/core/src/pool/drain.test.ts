import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import { affinityOf, codeOf, cookieAt, events, leaseOf, spread, START, visit } from './pool-visits.fixture.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  return () => void vi.useRealTimers()
})

afterEach(() => expect(vi.getTimerCount()).toBe(0))

describe('a drain', () => {
  /** Sessions are known, for the process is older than any of them. */
  function timedAffinity(): Affinity {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '30m' } }] })
    vi.advanceTimersByTime(30 * 60_000)
    return affinity
  }
  const settle = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

  it('keeps its sessions, takes no new one, and is over when they are', async () => {
    const affinity = timedAffinity()
    const seen = events('limpet:drained')
    const cookie = cookieAt(affinity, 'a')
    const drain = affinity.pool.drain('a', { deadline: '8h' })
    expect(drain.sessions).toBe(1)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'a', status: 'matched' })
    expect(spread(affinity, 4)).toEqual({ b: 4 })
    await vi.advanceTimersByTimeAsync(29 * 60_000)
    expect(affinity.pool.find('a')?.state).toBe('drain')
    const renewed = visit(affinity, cookie)
    expect(renewed.cookie).not.toBe(cookie)
    expect(drain.sessions).toBe(1)
    await vi.advanceTimersByTimeAsync(29 * 60_000)
    expect(visit(affinity, renewed.cookie).backend).toBe('a')
    await vi.advanceTimersByTimeAsync(32 * 60_000)
    expect(await drain.drained).toEqual({
      outcome: 'drained',
      inFlight: 0,
      sessions: 0,
      sessionsEstimated: false,
    })
    expect(affinity.pool.find('a')?.state).toBe('maint')
    expect(seen).toEqual([
      {
        pool: 'default',
        backend: 'a',
        outcome: 'drained',
        inFlight: 0,
        sessions: 0,
        sessionsEstimated: false,
      },
    ])
  })

  it('waits for requests in flight, and ends at once when there are none', async () => {
    const affinity = timedAffinity()
    expect(await affinity.pool.drain('b').drained).toMatchObject({ outcome: 'drained' })
    affinity.pool.setState('b', 'ready')
    const lease = leaseOf(affinity, '', {})
    const { drained, inFlight } = affinity.pool.drain(lease.backend.id)
    expect(inFlight).toBe(1)
    await vi.advanceTimersByTimeAsync(60_000)
    lease.release()
    expect(await drained).toMatchObject({ outcome: 'drained', inFlight: 0 })
  })

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

  it('calls a recall listener in the async context in which it was added', () => {
    const affinity = timedAffinity()
    const lease = leaseOf(affinity, cookieAt(affinity, 'a'))
    const users = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    users.run('alice', () => lease.onceRecalled(() => seen.push(users.getStore())))
    users.run('operator', () => affinity.pool.recall())
    expect(seen).toEqual(['alice'])
    lease.release()
    users.run('operator', () => affinity.pool.recall())
    expect(seen).toEqual(['alice'])
  })

  it('counts a session that has moved, at whatever part of a second, for its new backend alone', () => {
    const affinity = timedAffinity()
    vi.advanceTimersByTime(900)
    const { backend, cookie } = visit(affinity)
    affinity.pool.setState(backend, 'maint')
    const moved = visit(affinity, cookie)
    expect([affinity.pool.sessionsOf(backend), affinity.pool.sessionsOf(moved.backend)]).toEqual([0, 1])
  })

  it('does not wait for ever for a request that does not end', async () => {
    const affinity = timedAffinity()
    const lease = leaseOf(affinity)
    const drain = affinity.pool.drain(lease.backend.id, { deadline: 0 })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await drain.drained).toMatchObject({ outcome: 'deadline', inFlight: 1 })
    lease.release()
  })

  it('ends by its deadline alone when sessions are not counted', async () => {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { maxLife: 0 } }] })
    const drain = affinity.pool.drain('a', { deadline: '1m' })
    expect(drain.sessions).toBeUndefined()
    await vi.advanceTimersByTimeAsync(59_999)
    expect(affinity.pool.find('a')?.state).toBe('drain')
    await vi.advanceTimersByTimeAsync(1)
    expect(await drain.drained).toEqual({
      outcome: 'deadline',
      inFlight: 0,
      sessions: undefined,
      sessionsEstimated: false,
    })
  })

  it.each<[string, (affinity: Affinity) => void]>([
    ['called off', ({ pool }) => pool.setState('a', 'ready')],
    ['made one without an end', ({ pool }) => pool.setState('a', 'drain')],
    ['begun again', ({ pool }) => void pool.drain('a', { deadline: 0 })],
    ['about a backend that leaves', ({ pool }) => void pool.remove('a')],
    ['about one that becomes another', ({ pool }) => pool.replace([{ id: 'a', url: 'http://else.test' }])],
  ])('ends when it is %s', async (_what, happens) => {
    const affinity = timedAffinity()
    cookieAt(affinity, 'a')
    const { drained } = affinity.pool.drain('a')
    await settle()
    happens(affinity)
    expect(await drained).toMatchObject({ outcome: 'cancelled' })
    await settle()
  })

  it('knows the sessions that were learned', async () => {
    const affinity = affinityOf('ab', { affinity: [{ learn: { cookie: 'sid', ttl: '10m' } }] })
    const ids = { a: 0, b: 0 }
    for (let n = 0; n < 10; n += 1) {
      const lease = leaseOf(affinity)
      lease.responded({ statusCode: 200, headers: { 'set-cookie': [`sid=${n}`] } })
      lease.release()
      ids[lease.backend.id as 'a' | 'b'] += 1
    }
    expect(affinity.pool.sessionsOf('a')).toBe(ids.a)
    const { drained } = affinity.pool.drain('a', { deadline: '1h' })
    await vi.advanceTimersByTimeAsync(10 * 60_000 + 2_000)
    expect(await drained).toMatchObject({ outcome: 'drained', sessions: 0 })
  })

  it('ends by its deadline alone while there may be sessions from before this process', async () => {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '30m' } }] })
    const drain = affinity.pool.drain('a', { deadline: '8h' })
    expect(drain.sessions).toBeUndefined()
    await vi.advanceTimersByTimeAsync(30 * 60_000 - 1_000)
    expect(affinity.pool.find('a')?.state).toBe('drain')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await drain.drained).toMatchObject({ outcome: 'drained' })
  })

  it('is refused for an unknown backend, and with a wrong option', () => {
    const { pool } = affinityOf('ab')
    expect(codeOf(() => pool.drain('x'))).toBe('ERR_INVALID_OPTION')
    expect(codeOf(() => pool.drain('a', { deadline: '-1s' as '1s' }))).toBe('ERR_INVALID_OPTION')
    expect(codeOf(() => pool.drain('a', { spread: '1y' as '1d' }))).toBe('ERR_INVALID_OPTION')
    expect(codeOf(() => pool.drain('a', { dead: 1 } as object))).toBe('ERR_INVALID_OPTION')
    expect(pool.find('a')?.state).toBe('ready')
  })
})
