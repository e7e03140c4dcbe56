import { describe, expect, it } from 'vitest'
import type { Affinity } from './affinity.ts'
import type { RequestHead } from './head.ts'
import type { Lease } from './lease.ts'
import { affinityOf, cookieFor, counts, failure, leaseOf, redispatch, setCookies } from './lease.fixture.ts'

describe('the retry budget', () => {
  const options = { retryBudget: { ratio: 0, minPerSecond: 0 } }

  it('is not asked for an attempt that no backend has seen', () => {
    const lease = leaseOf(affinityOf('abc', options))
    expect(redispatch(lease, failure())?.id).toBe('b')
    expect(redispatch(lease, failure())?.id).toBe('c')
  })

  it('is asked for every attempt after one that a backend has seen, a refused one as well', () => {
    const lease = leaseOf(affinityOf('abc', { retryBudget: { ratio: 0, minPerSecond: 0 } }))
    lease.connected()
    expect(redispatch(lease, failure())).toBeUndefined()
  })

  it('is paid once for an attempt that moves on before a backend has seen it', () => {
    // Ten retries in ten seconds, nine of them spent.
    const affinity = affinityOf('abcd', {
      retryBudget: { ratio: 0, minPerSecond: 1 },
      maxAttempts: 9,
      now: () => 0,
    })
    for (let n = 0; n < 9; n += 1) expect(redispatch(leaseOf(affinity), failure('broken'))).toBeDefined()
    const lease = leaseOf(affinity)
    lease.connected()
    expect(redispatch(lease, failure('broken'))).toBeDefined()
    expect(redispatch(lease, failure())).toBeDefined()
    lease.connected()
    expect(redispatch(lease, failure('broken'))).toBeUndefined()
  })
})

describe('a slow response', () => {
  it('leaves a session at its backend', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity, cookieFor(affinity, 'b'))
    expect(redispatch(lease, failure('timeout'))).toBeUndefined()
    expect(lease.backend.id).toBe('b')
  })

  it('moves a session whose backend is known to be down', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity, cookieFor(affinity, 'b'))
    affinity.pool.setHealthy('b', false)
    expect(redispatch(lease, failure('timeout'))?.id).toBe('a')
  })

  it('gives a request without a session to one other backend', () => {
    const lease = leaseOf(affinityOf('abcd', { maxAttempts: 9 }))
    expect(redispatch(lease, failure('timeout'))?.id).toBe('b')
    expect(redispatch(lease, failure('timeout'))).toBeUndefined()
  })

  it('of the backend that a session has moved to is as that of a new one', () => {
    const affinity = affinityOf('abc')
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    redispatch(lease, failure())
    expect(redispatch(lease, failure('timeout'))).toBeDefined()
  })
})

describe('a backend that is found down', () => {
  function waiting(
    affinity: Affinity,
    cookie?: string,
    facts?: Partial<RequestHead>,
  ): Lease & { readonly told: string[] } {
    const lease = leaseOf(affinity, cookie, facts)
    const told: string[] = []
    lease.connected(() =>
      told.push(lease.next({ kind: 'down', slow: false, cause: undefined })?.id ?? 'nowhere'),
    )
    return Object.assign(lease, { told })
  }

  it.each([
    ['a health check', (affinity: Affinity) => affinity.pool.setHealthy('a', false)],
    [
      'a refused connection of another request',
      (affinity: Affinity) => {
        const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
        lease.failed({ ...failure(), refused: true })
        lease.release()
      },
    ],
  ])('by %s lets requests that wait for its response move at once', (_, find) => {
    const affinity = affinityOf('ab')
    const cookie = cookieFor(affinity, 'a')
    const lease = waiting(affinity, cookie)
    find(affinity)
    find(affinity)
    expect(lease.told).toEqual(['b'])
    expect(lease.backend.id).toBe('b')
    expect(counts(affinity, 'inFlight')).toEqual([0, 1])
    expect(setCookies(lease)).toHaveLength(1)
  })

  it('does not tell requests that have a response, that cannot be sent twice, or that are over', () => {
    const affinity = affinityOf('ab')
    const cookie = cookieFor(affinity, 'a')
    const responded = waiting(affinity, cookie)
    responded.responded({ statusCode: 200, headers: {} })
    const posted = waiting(affinity, cookie, { method: 'POST' })
    const over = waiting(affinity, cookie)
    over.release()
    const failed = waiting(affinity, cookie)
    failed.failed(failure('truncated'))
    affinity.pool.setHealthy('a', false)
    expect([responded.told, posted.told, over.told, failed.told]).toEqual([[], [], [], []])
  })

  it('lets a request wait on that has no other place', () => {
    const affinity = affinityOf('a')
    const lease = waiting(affinity)
    affinity.pool.setHealthy('a', false)
    expect(lease.told).toEqual(['nowhere'])
    expect(lease.backend.id).toBe('a')
  })

  it('is not found by a connection that came too late', () => {
    const affinity = affinityOf('ab')
    const lease = waiting(affinity, cookieFor(affinity, 'a'))
    leaseOf(affinity, cookieFor(affinity, 'a')).failed(failure())
    expect(lease.told).toEqual([])
  })
})
