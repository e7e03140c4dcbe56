import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import {
  affinityOf,
  codeOf,
  cookieAt,
  events,
  leaseOf,
  spread,
  START,
  timedAffinity,
  visit,
} from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

describe('a drain', () => {
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

  it('is held while other processes need the backend, also in a pool that takes over', async () => {
    const learning = { affinity: [{ learn: { cookie: 'sid', ttl: '10m' } }] } as const
    const before = affinityOf('ab', learning)
    const held = before.pool.drain('a', { deadline: '1h' })
    held.hold(true)
    await vi.advanceTimersByTimeAsync(60_000)
    const after = affinityOf('ab', learning)
    after.pool.takeOver(before.pool)
    const drain = after.pool.drainOf('a')
    expect([after.pool.sessionsOf('a'), drain?.isHeld]).toEqual([0, true])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(after.pool.find('a')?.state).toBe('drain')
    drain?.hold(false)
    expect(await drain?.drained).toMatchObject({ outcome: 'drained' })
    held.cancel()
    const late = after.pool.drain('b', { deadline: '1m' })
    late.hold(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await late.drained).toMatchObject({ outcome: 'deadline' })
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
