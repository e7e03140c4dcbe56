import { AsyncLocalStorage } from 'node:async_hooks'
import type { LivePool } from './live-pool.ts'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Affinity, createAffinity } from '../affinity.ts'
import type { AffinityOptions } from '../affinity-options.ts'
import type { Candidates } from './candidates.ts'
import type { Failure, FailureKind } from '../failure.ts'
import type { RequestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import type { Backend } from './backend.ts'
import type { BackendView } from './backend-view.ts'

/** Operators' commands on a live pool, and the failures of backends, as a request sees them. */

const SECRET = 'correct horse battery staple, and then some more'
const START = Date.UTC(2030, 0, 1)

function request(cookie = '', facts: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', 'Cookie', cookie],
    headers: { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:80` }))
  return createAffinity({ backends, secrets: [SECRET], now: Date.now, ...options })
}

function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('has to wait')
  return lease
}

/** Reports a failure, and asks for the backend of the next attempt. */
function redispatch(lease: Lease, failure: Failure): Backend | undefined {
  lease.failed(failure)
  return lease.next(failure)
}

/** One request that succeeds: its backend, and the cookie that the client has then. */
function visit(affinity: Affinity, cookie = ''): { backend: string; cookie: string; status: string } {
  const lease = leaseOf(affinity, cookie)
  const [line] = [lease.responded({ statusCode: 200, headers: {} })['set-cookie'] ?? []].flat()
  lease.release()
  return { backend: lease.backend.id, cookie: line?.split(';')[0] ?? cookie, status: lease.status }
}

/** A client with a session at `id`. */
function cookieAt(affinity: Affinity, id: string): string {
  for (let n = 0; n < 1000; n += 1) {
    const { backend, cookie } = visit(affinity)
    if (backend === id) return cookie
  }
  throw new Error(`no session is placed at ${id}`)
}

function spread(affinity: Affinity, visits: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < visits; n += 1) {
    const { backend } = visit(affinity)
    counts[backend] = (counts[backend] ?? 0) + 1
  }
  return counts
}

/** A request that fails at `id`; the next backend responds, or fails as well. */
function fail(affinity: Affinity, cookie: string, kind: FailureKind, hasResponded = true): string[] {
  const lease = leaseOf(affinity, cookie)
  const tried = [lease.backend.id]
  const failure = { kind, slow: kind === 'timeout', cause: undefined }
  while (redispatch(lease, failure) !== undefined) {
    tried.push(lease.backend.id)
    if (hasResponded) {
      lease.responded({ statusCode: 200, headers: {} })
      break
    }
  }
  lease.release()
  return tried
}

function healthy(affinity: Affinity): string {
  return affinity.pool.backends.flatMap(view => (view.healthy ? view.backend.id : [])).join('')
}

function events(channel: string): object[] {
  const seen: object[] = []
  const listener = (event: unknown): void => void seen.push(event as object)
  subscribe(channel, listener)
  onTestFinished(() => void unsubscribe(channel, listener))
  return seen
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return String(Reflect.get(error as object, 'code'))
  }
  return 'none'
}

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  return () => void vi.useRealTimers()
})
afterEach(() => expect(vi.getTimerCount()).toBe(0))

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

describe('a backup', () => {
  const backends = [
    { id: 'a', url: 'http://a.test' },
    { id: 'b', url: 'http://b.test' },
    { id: 'z', url: 'http://z.test', backup: true },
  ]
  /** One primary with room for one request, and three backups. */
  const small = Array.from('axyz', id => ({
    id,
    url: `http://${id}.test`,
    ...(id === 'a' ? { maxInFlight: 1 } : { backup: true }),
  }))

  it('takes new sessions only when no primary can', () => {
    const affinity = affinityOf('', { backends })
    expect(spread(affinity, 10)).toEqual({ a: 5, b: 5 })
    affinity.pool.setHealthy('a', false)
    expect(spread(affinity, 10)).toEqual({ b: 10 })
    affinity.pool.setHealthy('b', false)
    expect(spread(affinity, 10)).toEqual({ z: 10 })
  })

  it('comes before a primary that is draining', () => {
    const affinity = affinityOf('', { backends: backends.slice(1) })
    affinity.pool.setState('b', 'drain')
    expect(spread(affinity, 4)).toEqual({ z: 4 })
    affinity.pool.setState('z', 'maint')
    expect(spread(affinity, 4)).toEqual({ b: 4 })
  })

  it('keeps its sessions when the primaries are back [LB057] [LB058] [LB108] [LB201] [LB206]', () => {
    const affinity = affinityOf('', { backends })
    for (const id of 'ab') affinity.pool.setHealthy(id, false)
    const { cookie } = visit(affinity)
    for (const id of 'ab') affinity.pool.setHealthy(id, true)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'z', status: 'matched' })
    expect(spread(affinity, 4)).toEqual({ a: 2, b: 2 })
  })

  it.each(['redispatch', 'reject'] as const)('gives them back where that is asked for: %s', onUnavailable => {
    const affinity = affinityOf('', { backends, returnFromBackup: true, onUnavailable })
    for (const id of 'ab') affinity.pool.setHealthy(id, false)
    const { cookie } = visit(affinity)
    expect(visit(affinity, cookie).backend).toBe('z')
    affinity.pool.setHealthy('b', true)
    const back = visit(affinity, cookie)
    expect(back.backend).toBe('b')
    expect(visit(affinity, back.cookie)).toMatchObject({ backend: 'b', status: 'matched' })
  })

  it('keeps its sessions as long as the primaries are full, though they are to go back', () => {
    const affinity = affinityOf('', { backends: small, returnFromBackup: true })
    const primary = leaseOf(affinity)
    expect(primary.backend.id).toBe('a')
    const { backend, cookie } = visit(affinity)
    for (let n = 0; n < 4; n += 1)
      expect(visit(affinity, cookie)).toMatchObject({ backend, status: 'matched' })
    primary.release()
    expect(visit(affinity, cookie).backend).toBe('a')
  })

  it('is one of several that share the overflow of the primaries', () => {
    const affinity = affinityOf('', { backends: small })
    const primary = leaseOf(affinity)
    expect(spread(affinity, 9)).toEqual({ x: 3, y: 3, z: 3 })
    primary.release()
  })

  it('takes a request that no primary has answered', () => {
    const affinity = affinityOf('', { backends })
    expect(fail(affinity, '', 'unreached', false).toSorted()).toEqual(['a', 'b', 'z'])
  })
})

describe('a full backend', () => {
  it('is passed over by new sessions, whatever the balancer, and backups help out', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<NonNullable<AffinityOptions['balance']>>(
          'round-robin',
          'least-requests',
          'random',
          'random-two',
          'first',
          { hash: 'ip' },
        ),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
        (balance, limits) => {
          const backends = limits.map((maxInFlight, at) => ({
            id: `b${at}`,
            url: `http://b${at}.test`,
            maxInFlight,
            backup: at === 3,
          }))
          const affinity = affinityOf('', { backends, balance })
          const leases = limits.flatMap(limit => Array.from({ length: limit }, () => leaseOf(affinity)))
          expect(affinity.pool.backends.map(view => view.inFlight)).toEqual(limits)
          expect(codeOf(() => leaseOf(affinity))).toBe('ERR_NO_BACKEND')
          leases.at(-1)?.release()
          expect(leaseOf(affinity).backend.id).toBe(leases.at(-1)?.backend.id)
        },
      ),
    )
  })

  it('has its sessions moved: two here, three there, and the sixth is refused [LB110]', () => {
    const affinity = affinityOf('', {
      backends: [
        { id: 'a', url: 'http://a.test', maxInFlight: 2 },
        { id: 'b', url: 'http://b.test', maxInFlight: 3 },
      ],
    })
    const cookie = cookieAt(affinity, 'a')
    const leases = Array.from({ length: 5 }, () => leaseOf(affinity, cookie))
    expect(leases.map(lease => lease.backend.id)).toEqual(['a', 'a', 'b', 'b', 'b'])
    expect(leases.map(lease => lease.status)).toEqual([
      'matched',
      'matched',
      'unavailable',
      'unavailable',
      'unavailable',
    ])
    expect(leases[2]?.responded({ statusCode: 200, headers: {} })['set-cookie']).toBeDefined()
    expect(codeOf(() => leaseOf(affinity, cookie))).toBe('ERR_NO_BACKEND')
  })

  it('has them refused, where that is asked for', () => {
    const affinity = affinityOf('ab', { maxInFlight: 1, whenFull: 'reject' })
    const cookie = cookieAt(affinity, 'a')
    const lease = leaseOf(affinity, cookie)
    expect(codeOf(() => leaseOf(affinity, cookie))).toBe('ERR_NO_BACKEND')
    expect(leaseOf(affinity).backend.id).toBe('b')
    lease.release()
    expect(leaseOf(affinity, cookie).backend.id).toBe('a')
  })

  it('is not redispatched to', () => {
    const affinity = affinityOf('ab', { maxInFlight: 1 })
    const cookie = cookieAt(affinity, 'a')
    const other = leaseOf(affinity, cookieAt(affinity, 'b'))
    expect(fail(affinity, cookie, 'unreached')).toEqual(['a'])
    other.release()
    expect(fail(affinity, cookie, 'unreached')).toEqual(['a', 'b'])
  })

  it('sends its sessions to another that the client names, before any other', () => {
    const affinity = affinityOf('abc', {
      maxInFlight: 1,
      affinity: [{ cookie: {} }, { route: { header: 'x-route' } }],
    })
    const cookie = cookieAt(affinity, 'a')
    const held = leaseOf(affinity, cookie)
    for (const named of ['c', 'b', 'c', 'b']) {
      const lease = leaseOf(affinity, cookie, { headers: { host: 'web.test', cookie, 'x-route': named } })
      expect(lease).toMatchObject({ backend: { id: named }, status: 'unavailable' })
      lease.release()
    }
    held.release()
  })
})

describe('a request that waits', () => {
  const waiting = { maxInFlight: 1, whenFull: 'wait', queueTimeout: '10s' } as const

  /** A request and its result so far. */
  interface Waiter {
    outcome: string
    leave(): void
    lease?: Lease
  }
  function enqueue(affinity: Affinity, cookie?: string): Waiter {
    let leave = (): void => undefined
    const selected = affinity.select(request(cookie), onGone => (leave = onGone))
    if (!(selected instanceof Promise)) throw new Error('need not wait')
    return watched(selected, () => leave())
  }
  function watched(selected: Promise<Lease | undefined>, leave: () => void): Waiter {
    const waiter: Waiter = { outcome: 'waits', leave }
    selected.then(
      lease => {
        waiter.outcome = lease?.backend.id ?? 'left'
        if (lease !== undefined) waiter.lease = lease
      },
      (error: unknown) => (waiter.outcome = String(Reflect.get(error as object, 'code'))),
    )
    return waiter
  }
  const settle = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

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
    const anybody = enqueue(affinity, cookie)
    expect(codeOf(() => affinity.select(request(cookie)))).toBe('ERR_NO_BACKEND')
    second.leave()
    anybody.leave()
  })

  it('for any backend takes the first that has room', async () => {
    const affinity = affinityOf('ab', waiting)
    const cookie = cookieAt(affinity, 'a')
    const [a, b] = [leaseOf(affinity, cookie), leaseOf(affinity)]
    const bound = enqueue(affinity, cookie)
    const anybody = enqueue(affinity)
    b.release()
    await settle()
    expect([bound.outcome, anybody.outcome]).toEqual(['waits', 'b'])
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
    expect(await drain.drained).toEqual({ outcome: 'drained', inFlight: 0, sessions: 0 })
    expect(affinity.pool.find('a')?.state).toBe('maint')
    expect(seen).toEqual([{ pool: 'default', backend: 'a', outcome: 'drained', inFlight: 0, sessions: 0 }])
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
    expect(await drain.drained).toEqual({ outcome: 'deadline', inFlight: 0, sessions: 1 })
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
    expect(await drain.drained).toEqual({ outcome: 'deadline', inFlight: 0, sessions: undefined })
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
    expect(codeOf(() => pool.drain('a', { dead: 1 } as object))).toBe('ERR_INVALID_OPTION')
    expect(pool.find('a')?.state).toBe('ready')
  })
})

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
      { pool: 'default', backend: 'a', state: 'maint' },
      { pool: 'default', backend: 'a', state: 'ready' },
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
