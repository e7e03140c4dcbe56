import { describe, expect, it, onTestFinished } from 'vitest'
import type { BalanceOptions } from './balancers/balancer-options.ts'
import * as diagnostics from './diagnostics.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { RequestHead } from './head.ts'
import { affinityOf, cookieFor, counts, failure, leaseOf, redispatch, setCookies } from './lease.fixture.ts'

describe('a redispatch', () => {
  it('moves the session to the backend that answers, in one Set-Cookie [LB060] [LB163]', () => {
    const affinity = affinityOf('abc')
    const cookie = cookieFor(affinity, 'a')
    const lease = leaseOf(affinity, cookie, { method: 'POST', hasBody: true })
    expect(redispatch(lease, failure())?.id).toMatch(/[bc]/)
    const second = redispatch(lease, failure())
    expect(lease.backend).toBe(second)
    const lines = setCookies(lease)
    expect(lines).toHaveLength(1)
    lease.release()
    expect(leaseOf(affinity, lines[0]?.split(';')[0])).toMatchObject({
      status: 'matched',
      backend: { id: second?.id },
    })
  })

  it('moves to the next backend that the keys of the client name, before any other', () => {
    const affinity = affinityOf('abcdefgh')
    const [first, second] = [cookieFor(affinity, 'c'), cookieFor(affinity, 'f')]
    const lease = leaseOf(affinity, `${first}; ${second}`)
    expect(lease.backend.id).toBe('c')
    expect(redispatch(lease, failure())?.id).toBe('f')
    affinity.pool.setHealthy('f', false)
    const other = leaseOf(affinity, `${first}; ${second}`)
    expect(redispatch(other, failure())?.id).toMatch(/[abdegh]/)
  })

  it('keeps the status of the client’s key', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    redispatch(lease, failure())
    expect(lease).toMatchObject({ status: 'matched', backend: { id: 'b' } })
  })

  const everyBalance: BalanceOptions[] = [
    'round-robin',
    'least-requests',
    'random-two',
    'random',
    'first',
    { hash: 'path' },
  ]
  it.each(everyBalance)(
    'never tries a backend twice, the tied one above all: %j [LB111] [LB164]',
    balance => {
      const cookie = cookieFor(affinityOf('abcde'), 'c')
      const lease = leaseOf(affinityOf('abcde', { balance, maxAttempts: 100 }), cookie)
      const tried = [lease.backend.id]
      for (let next = redispatch(lease, failure()); next !== undefined; next = redispatch(lease, failure()))
        tried.push(next.id)
      expect(tried[0]).toBe('c')
      expect(tried.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'])
    },
  )

  it.each([1, 2, 3, 4])('tries %i backends when that is the limit', maxAttempts => {
    const lease = leaseOf(affinityOf('abcde', { maxAttempts }))
    const tried = [lease.backend.id]
    for (let next = redispatch(lease, failure()); next !== undefined; next = redispatch(lease, failure()))
      tried.push(next.id)
    expect(tried).toHaveLength(maxAttempts)
  })

  it('goes to candidates as they are now, and to a draining one when no other is left', () => {
    const affinity = affinityOf('abcd', { maxAttempts: 9 })
    const lease = leaseOf(affinity)
    affinity.pool.setState('b', 'drain')
    affinity.pool.setHealthy('c', false)
    expect(redispatch(lease, failure())?.id).toBe('d')
    expect(redispatch(lease, failure())?.id).toBe('b')
    expect(redispatch(lease, failure())).toBeUndefined()
    expect(lease.backend.id).toBe('b')
  })

  it.each<[FailureKind, Partial<RequestHead>, boolean]>([
    ['unreached', { method: 'POST', hasBody: true }, true],
    ['timeout', { method: 'GET' }, true],
    ['broken', { method: 'DELETE' }, true],
    ['broken', { method: 'PUT', hasBody: true }, false],
    ['broken', { method: 'POST' }, false],
    ['timeout', { method: 'PATCH' }, false],
    ['protocol', { method: 'GET' }, false],
    ['truncated', { method: 'GET' }, false],
  ])('after %s, of %j: %s [LB076]', (kind, facts, expected) => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity, undefined, facts)
    expect(redispatch(lease, failure(kind))?.id).toBe(expected ? 'b' : undefined)
    expect(counts(affinity, 'failures')).toEqual([1, 0])
    expect(counts(affinity, 'inFlight')).toEqual(expected ? [0, 1] : [1, 0])
  })

  it('does not move a session that is to be kept, and places a new one elsewhere as ever [LB061]', () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    expect(redispatch(lease, failure())).toBeUndefined()
    lease.release()
    expect(redispatch(leaseOf(affinity), failure())).toBeDefined()
  })

  it('tells the diagnostics alone of a policy that fails to tell its store', async () => {
    const failed = new Promise(resolve => {
      onTestFinished(diagnostics.onEvent('limpet:policy-failed', resolve))
    })
    const error = new Error('the store is down')
    const policy = { name: 'remote', read: () => [], write: () => Promise.reject(error) }
    const lease = leaseOf(affinityOf('ab', { affinity: [policy] }))
    expect(lease.responded({ statusCode: 200, headers: { etag: '1' } })).toEqual({ etag: '1' })
    expect(await failed).toEqual({ pool: 'default', policy: 'remote', error })
  })

  it('does nothing for a client that has gone', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity)
    lease.release()
    expect(redispatch(lease, failure())).toBeUndefined()
    expect(counts(affinity, 'inFlight')).toEqual([0, 0])
  })

  it('works though the backend was taken out meanwhile', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity)
    affinity.pool.remove('a')
    expect(redispatch(lease, failure())?.id).toBe('b')
    affinity.pool.remove('b')
    expect(redispatch(lease, failure())).toBeUndefined()
    expect(setCookies(lease)).toHaveLength(1)
    lease.release()
    expect(affinity.pool.backends).toEqual([])
  })

  it('sets no cookie for a response that was not the session’s [LB114]', () => {
    const affinity = affinityOf('ab')
    const cookie = cookieFor(affinity, 'a')
    const stays = leaseOf(affinity, cookie)
    expect(setCookies(stays)).toEqual([])
    const moves = leaseOf(affinity, cookie)
    redispatch(moves, failure())
    expect(setCookies(moves)).toHaveLength(1)
  })
})

describe('a reused connection that breaks', () => {
  const stale: Failure = { ...failure('broken'), reused: true }

  it('leads to the same backend once, says nothing about it, and counts as an attempt', () => {
    const affinity = affinityOf('abcd')
    const lease = leaseOf(affinity)
    expect(redispatch(lease, stale)?.id).toBe('a')
    expect(counts(affinity, 'failures')).toEqual([0, 0, 0, 0])
    expect(redispatch(lease, stale)?.id).toBe('b')
    expect(redispatch(lease, failure('broken'))).toBeUndefined()
    expect(counts(affinity, 'failures')).toEqual([1, 1, 0, 0])
    expect(counts(affinity, 'requests')).toEqual([1, 1, 0, 0])
  })

  it.each([
    ['maxAttempts is 1', { maxAttempts: 1 }],
    ['the retry budget is 0', { retryBudget: { ratio: 0, minPerSecond: 0 } }],
    ['retryOn has no reset', { retryOn: ['connect', 'timeout'] as const }],
  ])('ends the request when %s', (_, options) => {
    expect(redispatch(leaseOf(affinityOf('ab', options)), stale)).toBeUndefined()
  })

  it('ends a request that cannot be sent twice, and counts', () => {
    const affinity = affinityOf('ab')
    expect(redispatch(leaseOf(affinity, undefined, { method: 'POST' }), stale)).toBeUndefined()
    expect(counts(affinity, 'failures')).toEqual([1, 0])
  })

  it('lets a session that is to be kept stay where it is', () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const lease = leaseOf(affinity, cookieFor(affinity, 'b'))
    expect(redispatch(lease, stale)?.id).toBe('b')
  })
})

describe('a failure of this process', () => {
  it('is no backend’s, and leads nowhere', () => {
    const affinity = affinityOf('ab', { passive: { fall: 1 } })
    const lease = leaseOf(affinity)
    expect(redispatch(lease, failure('local'))).toBeUndefined()
    expect(counts(affinity, 'failures')).toEqual([0, 0])
    expect(affinity.pool.backends.every(view => view.healthy)).toBe(true)
  })
})

describe('a response with a status of retryOn', () => {
  const options = { retryOn: ['connect', 502, 503] } as const
  const status: Failure = failure('status')

  it('leads to another backend, for requests that may be sent twice', () => {
    const affinity = affinityOf('ab', options)
    const lease = leaseOf(affinity)
    expect([lease.retries(503), lease.retries(500), lease.retries(200)]).toEqual([true, false, false])
    expect(leaseOf(affinity, undefined, { method: 'POST' }).retries(503)).toBe(false)
    expect(leaseOf(affinityOf('ab')).retries(503)).toBe(false)
    expect(redispatch(lease, status)?.id).toBe('b')
  })

  it('begins no session, and keeps one that was there', () => {
    const affinity = affinityOf('ab', options)
    const failed = { statusCode: 503, headers: {} }
    expect(leaseOf(affinity).responded(failed)['set-cookie']).toBeUndefined()
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    expect(lease.responded(failed)['set-cookie']).toBeUndefined()
    expect(leaseOf(affinity).responded({ statusCode: 500, headers: {} })['set-cookie']).toHaveLength(1)
  })
})
