import { EventEmitter } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import * as diagnostics from './diagnostics.ts'
import type { BackendFigures } from './figures.ts'
import type { HeaderFields, RequestHead } from './head.ts'
import type { Lease } from './lease.ts'

const SECRET = 'correct horse battery staple, and then some more'

function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:8080` }))
  return createAffinity({ backends, secrets: [SECRET], ...options })
}

function request(cookie?: string): RequestHead {
  const lines = cookie === undefined ? [] : ['Cookie', cookie]
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', ...lines],
    headers: cookie === undefined ? { host: 'web.test' } : { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
  }
}

async function leaseOf(affinity: Affinity, cookie?: string): Promise<Lease> {
  return affinity.select(request(cookie))
}

/** Makes a whole request. @returns the session's cookie, as the client has it from then on */
async function visit(affinity: Affinity, cookie?: string, headers: HeaderFields = {}): Promise<string> {
  const lease = await leaseOf(affinity, cookie)
  return respond(lease, cookie, headers)
}

function respond(lease: Lease, cookie = '', headers: HeaderFields = {}): string {
  const [line] = [lease.responded({ statusCode: 200, headers })['set-cookie'] ?? []].flat()
  lease.release()
  return line?.split(';')[0] ?? cookie
}

function backendOf(affinity: Affinity, id: string): BackendFigures {
  const found = affinity.stats().backends.find(backend => backend.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}

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

describe('sessions', () => {
  const moved = (affinity: Affinity, id: string) => backendOf(affinity, id).sessionsMoved

  it('counts a session when its key is written first, and not when it returns', async () => {
    const affinity = affinityOf('a')
    const cookie = await visit(affinity)
    await visit(affinity, cookie)
    await visit(affinity, cookie)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessionsStarted: 1, requests: 3 })
  })

  it('tells from the first minute how many sessions it has seen, and that it is an estimate', async () => {
    let now = 1_000_000_000_000
    const affinity = affinityOf('a', { affinity: [{ cookie: { maxLife: '1h' } }], now: () => now })
    await visit(affinity)
    await visit(affinity)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: 2, sessionsEstimated: true })
    now += 1_800_000
    await visit(affinity)
    now += 2_000_000
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: 1, sessionsEstimated: false })
  })

  it('knows no number where no policy counts', async () => {
    const affinity = affinityOf('a', { affinity: [{ route: { cookie: 'ROUTE' } }] })
    await visit(affinity)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: undefined, sessionsStarted: 0 })
  })

  it.each<[reason: string, leave: (affinity: Affinity) => void]>([
    ['drained', affinity => affinity.pool.setState('a', 'maint')],
    ['failed', affinity => affinity.pool.setHealthy('a', false)],
  ])('counts a session that moves because its backend has %s', async (reason, leave) => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const events: unknown[] = []
    onTestFinished(diagnostics.onEvent('limpet:session-moved', event => events.push(event)))
    const cookie = await visit(affinity)
    leave(affinity)
    await visit(affinity, await visit(affinity, cookie))
    const none = { failed: 0, drained: 0, full: 0, rebalanced: 0 }
    expect(moved(affinity, 'a')).toEqual({ ...none, [reason]: 1 })
    expect(backendOf(affinity, 'b')).toMatchObject({ sessionsStarted: 0, sessionsMoved: none })
    expect(events).toEqual([{ pool: 'default', backend: 'b', from: 'a', reason }])
  })

  it('counts a session that moves because its request failed', async () => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const cookie = await visit(affinity)
    const lease = await leaseOf(affinity, cookie)
    const failure = { kind: 'unreached', slow: false, cause: new Error('refused') } as const
    lease.failed(failure)
    lease.next(failure)
    respond(lease)
    expect(moved(affinity, 'a')).toMatchObject({ failed: 1 })
  })

  it('counts a session that moves because its backend is full', async () => {
    const affinity = affinityOf('ab', { balance: 'first', maxInFlight: 1 })
    const cookie = await visit(affinity)
    const holding = await leaseOf(affinity, cookie)
    await visit(affinity, cookie)
    holding.release()
    expect(moved(affinity, 'a')).toMatchObject({ full: 1, failed: 0 })
  })

  it('counts a session that returns from a backup as rebalanced', async () => {
    const affinity = createAffinity({
      backends: [
        { id: 'a', url: 'http://a.test' },
        { id: 'b', url: 'http://b.test', backup: true },
      ],
      secrets: [SECRET],
      returnFromBackup: true,
    })
    affinity.pool.setHealthy('a', false)
    const cookie = await visit(affinity)
    affinity.pool.setHealthy('a', true)
    await visit(affinity, cookie)
    expect(moved(affinity, 'b')).toMatchObject({ rebalanced: 1 })
  })

  it('counts a session whose backend was removed, for the pool', async () => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const cookie = await visit(affinity)
    affinity.pool.remove('a')
    await visit(affinity, cookie)
    expect(affinity.stats().sessionsOfRemoved).toBe(1)
    expect(backendOf(affinity, 'b').sessionsStarted).toBe(0)
  })

  it('counts learned sessions, and one that moves', async () => {
    const affinity = affinityOf('ab', { balance: 'first', affinity: [{ learn: { cookie: 'SID' } }] })
    await visit(affinity)
    await visit(affinity, undefined, { 'set-cookie': 'SID=1' })
    await visit(affinity, 'SID=1', { 'set-cookie': 'SID=1' })
    expect(backendOf(affinity, 'a')).toMatchObject({
      sessionsStarted: 1,
      sessions: 1,
      sessionsEstimated: false,
    })
    affinity.pool.setHealthy('a', false)
    await visit(affinity, 'SID=1')
    await visit(affinity, 'SID=1')
    expect(moved(affinity, 'a')).toMatchObject({ failed: 1 })
    expect(backendOf(affinity, 'b')).toMatchObject({ sessionsStarted: 0, sessions: 1 })
  })

  it('counts a session once where two policies have a key of it', async () => {
    const affinity = affinityOf('ab', {
      affinity: [{ cookie: {} }, { learn: { cookie: 'SID' } }],
      balance: 'first',
    })
    const cookie = await visit(affinity, undefined, { 'set-cookie': 'SID=1' })
    expect(cookie).toContain('SID=1')
    expect(backendOf(affinity, 'a').sessionsStarted).toBe(1)
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

  it('tells the beginning and the deadline of a drain, until it is over', () => {
    const affinity = affinityOf('a', { now: () => 1_000 })
    const drain = affinity.pool.drain('a', { deadline: '1m' })
    expect(backendOf(affinity, 'a').drain).toEqual({ startedAtMs: 1_000, deadlineAtMs: 61_000 })
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
