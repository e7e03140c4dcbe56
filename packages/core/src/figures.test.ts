import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { affinityOf, backendOf, leaseOf, respond, visit } from './figures.fixture.ts'

describe('requests', () => {
  it('counts responses by their class, with the time to their head', async () => {
    const affinity = affinityOf('a')
    for (const statusCode of [200, 204, 301, 404, 500, 503]) {
      const lease = await leaseOf(affinity)
      lease.responded({ statusCode, headers: {} })
      expect(backendOf(affinity, 'a').inFlight).toBe(1)
      lease.release()
    }
    const { requests, inFlight, responses, responseTimes } = backendOf(affinity, 'a')
    expect({ requests, inFlight, responses }).toEqual({
      requests: 6,
      inFlight: 0,
      responses: { '1xx': 0, '2xx': 2, '3xx': 1, '4xx': 1, '5xx': 2 },
    })
    expect([responseTimes.count, affinity.stats().durations.count]).toEqual([6, 6])
    expect(affinity.stats().affinity).toMatchObject({ none: 6, matched: 0 })
  })

  it('counts an open tunnel, and leaves its time out of the durations', async () => {
    const affinity = affinityOf('a')
    const lease = await leaseOf(affinity)
    lease.responded({ statusCode: 101, headers: {} })
    expect(backendOf(affinity, 'a')).toMatchObject({ tunnels: 1, inFlight: 1 })
    lease.release()
    lease.release()
    expect(backendOf(affinity, 'a')).toMatchObject({ tunnels: 0, inFlight: 0, responses: { '1xx': 1 } })
    expect(affinity.stats().durations.count).toBe(0)
  })

  it('counts failures by kind, redispatches at both ends, and retries without budget', async () => {
    const affinity = affinityOf('ab', { retryBudget: { ratio: 0, minPerSecond: 0 } })
    const first = await leaseOf(affinity)
    const unreached = { kind: 'unreached', slow: false, cause: new Error('refused') } as const
    const { id: left } = first.backend
    first.failed(unreached)
    first.next(unreached)
    const { id: reached } = first.backend
    respond(first)
    expect(backendOf(affinity, left)).toMatchObject({
      failures: 1,
      failuresByKind: { unreached: 1 },
      redispatchedFrom: 1,
    })
    expect(backendOf(affinity, reached)).toMatchObject({ failures: 0, redispatchedTo: 1 })
    const second = await leaseOf(affinity)
    const broken = { kind: 'broken', slow: false, cause: new Error('reset') } as const
    second.failed(broken)
    expect(second.next(broken)).toBeUndefined()
    second.release()
    expect(affinity.stats().retryBudget).toEqual({ left: 0, denied: 1 })
  })

  it('counts refused requests by the code of their error', async () => {
    const affinity = affinityOf('a')
    affinity.pool.setState('a', 'maint')
    await expect(leaseOf(affinity)).rejects.toMatchObject({ code: 'ERR_NO_BACKEND' })
    expect(affinity.stats().refused).toEqual({ ERR_NO_BACKEND: 1 })
  })

  it('counts requests that wait, at their backend and in the pool, and their times', async () => {
    const affinity = affinityOf('a', { maxInFlight: 1, whenFull: 'wait' })
    const first = await leaseOf(affinity)
    const cookie = respond(first)
    const holding = await leaseOf(affinity, cookie)
    const waiting = leaseOf(affinity, cookie)
    expect([affinity.stats().queued, backendOf(affinity, 'a').queued]).toEqual([1, 1])
    holding.release()
    respond(await waiting)
    expect([affinity.stats().queued, backendOf(affinity, 'a').queued]).toEqual([0, 0])
    expect(affinity.stats().queueTimes.count).toBe(1)
  })

  it('adds the bytes of closed connections to those of open ones', () => {
    const affinity = affinityOf('a')
    const [a] = affinity.pool.backends
    const connection = (bytesRead: number, bytesWritten: number) =>
      Object.assign(new EventEmitter(), { bytesRead, bytesWritten })
    const [one, other] = [connection(100, 10), connection(5, 1)]
    for (const each of [one, other]) if (a !== undefined) affinity.pool.countConnection(a.backend, each)
    expect(backendOf(affinity, 'a')).toMatchObject({ connections: 2, bytesIn: 11, bytesOut: 105 })
    one.bytesRead = 200
    one.emit('close')
    one.emit('close')
    expect(backendOf(affinity, 'a')).toMatchObject({ connections: 1, bytesIn: 11, bytesOut: 205 })
  })
})

it('tells the weight of now, and how many backends may take a new session', () => {
  const affinity = affinityOf('abc')
  affinity.pool.setWeight('a', 7)
  affinity.pool.setState('b', 'drain')
  expect(backendOf(affinity, 'a')).toMatchObject({ weight: 7, effectiveWeight: 7 })
  expect(affinity.stats().candidates).toBe(2)
})

describe('health', () => {
  it('counts changes and the time for which a backend was down', () => {
    let now = 1_000
    const affinity = affinityOf('a', { now: () => now })
    now = 2_000
    affinity.pool.setHealthy('a', false, 'status 500')
    now = 5_000
    expect(backendOf(affinity, 'a')).toMatchObject({ turnedDown: 1, downMs: 3_000, changedAtMs: 2_000 })
    affinity.pool.setHealthy('a', true)
    now = 9_000
    expect(backendOf(affinity, 'a')).toMatchObject({ turnedUp: 1, downMs: 3_000, changedAtMs: 5_000 })
    affinity.pool.setState('a', 'drain')
    expect(backendOf(affinity, 'a')).toMatchObject({ state: 'drain', changedAtMs: 9_000 })
  })

  it('keeps the result of the last check', () => {
    const affinity = affinityOf('a', { now: () => 7 })
    affinity.pool.noteCheck('a', { healthy: true, problem: undefined, durationMs: 3 })
    affinity.pool.noteCheck('a', { healthy: false, problem: 'status 500', durationMs: 4 })
    const last = { healthy: false, problem: 'status 500', durationMs: 4, atMs: 7 }
    expect(backendOf(affinity, 'a').checks).toEqual({ passed: 1, failed: 1, last })
  })

  it('tells the beginning and the deadline of a drain, until it is over', async () => {
    const affinity = affinityOf('a', { now: () => 1_000 })
    await visit(affinity)
    await visit(affinity)
    const drain = affinity.pool.drain('a', { deadline: '1m' })
    expect(backendOf(affinity, 'a').drain).toEqual({
      startedAtMs: 1_000,
      deadlineAtMs: 61_000,
      spreadMs: 0,
      startedSessions: 2,
    })
    drain.cancel()
    expect(backendOf(affinity, 'a').drain).toBeUndefined()
  })
})

it('continues the counts of a pool that it takes over from, with those of requests that end there', async () => {
  const before = affinityOf('ab', { balance: 'first' })
  await visit(before)
  const holding = await leaseOf(before)
  const after = affinityOf('ab', { balance: 'first' })
  after.pool.takeOver(before.pool)
  respond(holding)
  await visit(after)
  expect(backendOf(after, 'a')).toMatchObject({ requests: 3, responses: { '2xx': 3 }, sessionsStarted: 3 })
  expect(after.stats()).toMatchObject({ requests: 3, affinity: { none: 3 }, durations: { count: 3 } })
})
