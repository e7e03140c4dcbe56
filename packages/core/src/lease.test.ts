import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { BalanceOptions } from './balancers/balancer-options.ts'
import * as diagnostics from './diagnostics.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { HeaderFields, RequestHead } from './head.ts'
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

  it('gives the lines for its backend: without our cookie, with who the client is [LB007]', () => {
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
    lease.redispatch(failure())
    expect(lease.requestLines().slice(0, 2)).toEqual(['Host', second])
  })

  it('gives the client the answer without what ends at this gateway', () => {
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
    expect(lease.redispatch(failure())?.id).toMatch(/[bc]/)
    const second = lease.redispatch(failure())
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
    expect(lease.redispatch(failure())?.id).toBe('f')
    affinity.pool.setHealthy('f', false)
    const other = leaseOf(affinity, `${first}; ${second}`)
    expect(other.redispatch(failure())?.id).toMatch(/[abdegh]/)
  })

  it('keeps the status of what the client brought', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    lease.redispatch(failure())
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
      for (let next = lease.redispatch(failure()); next !== undefined; next = lease.redispatch(failure()))
        tried.push(next.id)
      expect(tried[0]).toBe('c')
      expect(tried.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'])
    },
  )

  it.each([1, 2, 3, 4])('tries %i backends when that is the limit', maxAttempts => {
    const lease = leaseOf(affinityOf('abcde', { maxAttempts }))
    const tried = [lease.backend.id]
    for (let next = lease.redispatch(failure()); next !== undefined; next = lease.redispatch(failure()))
      tried.push(next.id)
    expect(tried).toHaveLength(maxAttempts)
  })

  it('goes to candidates as they are now, and to a draining one when no other is left', () => {
    const affinity = affinityOf('abcd', { maxAttempts: 9 })
    const lease = leaseOf(affinity)
    affinity.pool.setState('b', 'drain')
    affinity.pool.setHealthy('c', false)
    expect(lease.redispatch(failure())?.id).toBe('d')
    expect(lease.redispatch(failure())?.id).toBe('b')
    expect(lease.redispatch(failure())).toBeUndefined()
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
    expect(lease.redispatch(failure(kind))?.id).toBe(expected ? 'b' : undefined)
    expect(counts(affinity, 'failures')).toEqual([1, 0])
    expect(counts(affinity, 'inFlight')).toEqual(expected ? [0, 1] : [1, 0])
  })

  it('does not move a session that is to be kept, and places a new one elsewhere as ever [LB061]', () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const lease = leaseOf(affinity, cookieFor(affinity, 'a'))
    expect(lease.redispatch(failure())).toBeUndefined()
    lease.release()
    expect(leaseOf(affinity).redispatch(failure())).toBeDefined()
  })

  it('tells the diagnostics alone of a policy that fails to tell its store', async () => {
    const failed = new Promise(resolve => {
      diagnostics.policyFailed.subscribe(resolve)
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
    expect(lease.redispatch(failure())).toBeUndefined()
    expect(counts(affinity, 'inFlight')).toEqual([0, 0])
  })

  it('works though the backend was taken out meanwhile', () => {
    const affinity = affinityOf('ab')
    const lease = leaseOf(affinity)
    affinity.pool.remove('a')
    expect(lease.redispatch(failure())?.id).toBe('b')
    affinity.pool.remove('b')
    expect(lease.redispatch(failure())).toBeUndefined()
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
    moves.redispatch(failure())
    expect(setCookies(moves)).toHaveLength(1)
  })
})

describe('whatever happens to requests', () => {
  it('nothing is in flight when all are released, and no request was counted twice', () => {
    const step = fc.record({
      kind: fc.constantFrom<FailureKind>('unreached', 'timeout', 'broken', 'protocol', 'truncated'),
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
        for (const { kind, method, failures, answers, change } of steps) {
          const lease = leaseOf(affinity, undefined, { method })
          leases.push(lease)
          tries += 1
          for (let n = 0; n < failures; n += 1) if (lease.redispatch(failure(kind)) !== undefined) tries += 1
          if (answers) lease.responded({ statusCode: 200, headers: {} })
          if (change === 'drain') pool.setState('a', 'drain')
          if (change === 'ill') pool.setHealthy('b', leases.length % 2 === 0)
          if (change === 'replace')
            pool.replace(Array.from('abc', id => ({ id, url: `http://${id}.test:8080` })))
        }
        expect(everybody.reduce((sum, view) => sum + view.inFlight, 0)).toBe(leases.length)
        for (const lease of leases) for (let n = 0; n < 2; n += 1) lease.release()
        expect(everybody.map(view => view.inFlight)).toEqual([0, 0, 0])
        expect(everybody.reduce((sum, view) => sum + view.requests, 0)).toBe(tries)
      }),
    )
  })
})
