import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { BalanceOptions } from './balancers/balancer-options.ts'
import * as diagnostics from './diagnostics.ts'
import type { Backend } from './pool/backend.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { HeaderFields, RequestHead } from './head.ts'
import type { LivePool } from './pool/live-pool.ts'
import type { Lease } from './lease.ts'

const SECRET = 'correct horse battery staple, and then some more'

function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
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
    ...facts,
  }
}

function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:8080` }))
  return createAffinity({ backends, secrets: [SECRET], ...options })
}

function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

function setCookies(lease: Lease, headers: HeaderFields = {}): string[] {
  return [lease.responded({ statusCode: 200, headers })['set-cookie'] ?? []].flat()
}

function cookieFor(affinity: Affinity, id: string): string {
  for (;;) {
    const lease = leaseOf(affinity)
    const [line = ''] = setCookies(lease)
    lease.release()
    if (lease.backend.id === id) return line.split(';')[0] ?? ''
  }
}

function failure(kind: FailureKind = 'unreached'): Failure {
  return { kind, slow: kind === 'timeout', cause: new Error(kind) }
}

/** Reports a failure, and asks for the backend of the next attempt. */
function redispatch(lease: Lease, what: Failure): Backend | undefined {
  lease.failed(what)
  return lease.next(what)
}

function counts(affinity: Affinity, key: 'inFlight' | 'requests' | 'failures'): number[] {
  return affinity.pool.backends.map(view => view[key])
}

describe('a lease', () => {
  it('counts its request in until it is released, once', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity)
    expect(counts(affinity, 'inFlight')).toEqual([1, 0])
    lease.release()
    lease.release()
    expect(counts(affinity, 'inFlight')).toEqual([0, 0])
    expect(counts(affinity, 'requests')).toEqual([1, 0])
  })

  it('lists each backend that it has tried once, however often it asks for another', () => {
    const affinity = affinityOf('a')
    const asked = vi.spyOn(affinity.pool as LivePool, 'candidatesBut')
    const lease = leaseOf(affinity)
    for (let turn = 0; turn < 20; turn += 1) expect(redispatch(lease, failure())).toBeUndefined()
    expect(asked.mock.calls.map(([tried]) => [...tried].length)).toEqual(Array.from({ length: 20 }, () => 1))
  })

  it('knows the client, from the socket or from a proxy that is trusted [T-22]', () => {
    const proxied = {
      headers: { host: 'web.test', 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
    }
    expect(leaseOf(affinityOf('a'), undefined, proxied).client).toMatchObject({
      address: '192.0.2.1',
      isSecure: false,
    })
    const trusting = affinityOf('a', { trustProxy: ['192.0.2.1'] })
    expect(leaseOf(trusting, undefined, proxied).client).toMatchObject({
      address: '203.0.113.9',
      isSecure: true,
    })
  })

  it('tells a client behind a trusted proxy with TLS a Secure cookie, and no other [T-19]', () => {
    const headers = { host: 'web.test', 'x-forwarded-proto': 'https' }
    const [trusted = ''] = setCookies(
      leaseOf(affinityOf('a', { trustProxy: ['192.0.2.1'] }), undefined, { headers }),
    )
    const [lying = ''] = setCookies(leaseOf(affinityOf('a'), undefined, { headers }))
    const [direct = ''] = setCookies(leaseOf(affinityOf('a'), undefined, { encrypted: true }))
    expect([trusted, lying, direct].map(line => line.includes('; Secure'))).toEqual([true, false, true])
  })

  it.each([
    ['/a/../b//c?d=%2f', '/a/../b//c?d=%2f'],
    ['http://web.test/a', '/a'],
    ['http://web.test', '/'],
  ])('gives the target %s as %s [T-33]', (url, expected) => {
    expect(leaseOf(affinityOf('a'), undefined, { url, method: 'OPTIONS' }).target).toBe(expected)
  })

  it('gives the lines for its backend: without our cookie, with the client’s address [LB007]', () => {
    const affinity = affinityOf('a')
    const lease = leaseOf(affinity, `a=1; ${cookieFor(affinity, 'a')}; b=2`)
    const lines = lease.requestLines()
    const pairs = lines.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${lines[index + 1]}`] : []))
    expect(pairs).toEqual([
      'Host: web.test',
      'Cookie: a=1; b=2',
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: web.test',
      'X-Forwarded-Port: 80',
      'X-Real-IP: 192.0.2.1',
    ])
  })

  it.each<[AffinityOptions['host'], string, string]>([
    ['preserve', 'web.test', 'web.test'],
    ['backend', 'a.test:8080', 'b.test:8080'],
  ])('gives the host that was asked for: %s', (host = 'preserve', first, second) => {
    const lease = leaseOf(affinityOf('ab', { host }))
    expect(lease.requestLines().slice(0, 2)).toEqual(['Host', first])
    redispatch(lease, failure())
    expect(lease.requestLines().slice(0, 2)).toEqual(['Host', second])
  })

  it('gives the client the response without hop-by-hop fields', () => {
    const headers = {
      connection: 'keep-alive',
      'content-type': 'text/plain',
      'set-cookie': ['a=1', 'SERVERID=app'],
    }
    const fields = leaseOf(affinityOf('a')).responded({ statusCode: 200, headers })
    expect(Object.keys(fields).toSorted()).toEqual(['content-type', 'set-cookie'])
    expect(fields['set-cookie']).toHaveLength(2)
    expect(headers['set-cookie']).toEqual(['a=1', 'SERVERID=app'])
  })
})

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

describe('whatever happens to requests', () => {
  it('nothing is in flight when all are released, and no request was counted twice', () => {
    const step = fc.record({
      kind: fc.constantFrom<FailureKind>(
        'unreached',
        'timeout',
        'broken',
        'down',
        'protocol',
        'status',
        'truncated',
        'local',
      ),
      reused: fc.boolean(),
      connects: fc.boolean(),
      method: fc.constantFrom('GET', 'POST'),
      failures: fc.nat(4),
      answers: fc.boolean(),
      change: fc.constantFrom('nothing', 'drain', 'ill', 'replace'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const affinity = affinityOf('abc')
        const { pool } = affinity
        const everybody = [...pool.backends]
        const leases: Lease[] = []
        let tries = 0
        for (const { kind, reused, connects, method, failures, answers, change } of steps) {
          const lease = leaseOf(affinity, undefined, { method })
          leases.push(lease)
          tries += 1
          let attempts = 1
          for (let n = 0; n < failures; n += 1) {
            const from = lease.backend
            if (connects) lease.connected(() => lease.next(failure('down')))
            const to = redispatch(lease, { ...failure(kind), reused })
            expect(lease.backend).toBe(to ?? from)
            if (to !== undefined) attempts += 1
            if (to !== undefined && to !== from) tries += 1
          }
          expect(attempts).toBeLessThanOrEqual(3)
          if (answers) lease.responded({ statusCode: 200, headers: {} })
          if (change === 'drain') pool.setState('a', 'drain')
          if (change === 'ill') pool.setHealthy('b', leases.length % 2 === 0)
          if (change === 'replace')
            pool.replace(Array.from('abc', id => ({ id, url: `http://${id}.test:8080` })))
        }
        expect(everybody.reduce((sum, view) => sum + view.inFlight, 0)).toBe(leases.length)
        for (const lease of leases) for (let n = 0; n < 2; n += 1) lease.release()
        expect(everybody.map(view => view.inFlight)).toEqual([0, 0, 0])
        expect(everybody.reduce((sum, view) => sum + view.requests, 0)).toBeGreaterThanOrEqual(tries)
      }),
    )
  })
})
