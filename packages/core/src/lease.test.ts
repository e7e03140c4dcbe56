import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { AffinityOptions } from './affinity-options.ts'
import type { FailureKind } from './failure.ts'
import type { LivePool } from './pool/live-pool.ts'
import type { Lease } from './lease.ts'
import { affinityOf, cookieFor, counts, failure, leaseOf, redispatch, setCookies } from './lease.fixture.ts'

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
