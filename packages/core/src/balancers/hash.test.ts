import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAffinity } from '../affinity.ts'
import { type HeaderFields, type RequestHead, requestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import type { BackendView } from '../pool/backend-view.ts'
import { hashOf, idsOf, KEY, poolOf, request, SEED, sessions } from './hashed-pool.fixture.ts'

describe('the key of a hash', () => {
  it('is not there: such requests take turns [LB175]', () => {
    const pool = poolOf([1, 1, 1])
    const balancer = hashOf(pool, ['header:x-room', 'query:room', 'cookie:sid'])
    const without = request({ cookie: 'SID=1; sid=' }, '/?rooms=1')
    expect(
      idsOf(
        balancer,
        pool,
        Array.from({ length: 6 }, () => without),
      ),
    ).toEqual('b0 b1 b2 b0 b1 b2'.split(' '))
    const unixSocket = requestHead({ httpVersion: '1.1', rawHeaders: [], headers: {}, socket: {} })
    expect(idsOf(hashOf(pool, 'ip'), pool, [unixSocket, unixSocket, unixSocket])).toEqual(['b0', 'b1', 'b2'])
  })

  it('uses only trusted proxies for the client’s address [T-22]', () => {
    // So many that two addresses seldom fall to one.
    const pool = poolOf(Array.from({ length: 97 }, () => 1))
    const claims = Array.from({ length: 20 }, (_, n) => request({ 'x-forwarded-for': `198.51.100.${n}` }))
    expect(new Set(idsOf(hashOf(pool, 'ip'), pool, claims)).size).toBe(1)
    const trusting = hashOf(pool, 'ip', {}, ['192.0.2.7'])
    expect(new Set(idsOf(trusting, pool, claims)).size).toBeGreaterThan(5)
    const hearsay = Array.from({ length: 20 }, (_, n) =>
      request({ 'x-forwarded-for': `198.51.100.${n}, 203.0.113.1` }),
    )
    expect(new Set(idsOf(trusting, pool, hearsay)).size).toBe(1)
  })

  it('may be anything [T-23]', () => {
    const names = fc.constantFrom('__proto__', 'constructor', 'x-room', 'toString')
    const kinds = fc.constantFrom('header', 'query', 'cookie')
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string())
    fc.assert(
      fc.property(kinds, names, fc.array(text, { maxLength: 3 }), fc.boolean(), (kind, name, values, odd) => {
        const pool = poolOf([1, 2, 3])
        const balancer = hashOf(pool, `${kind}:${name}`, { boundedLoad: odd ? 1.25 : 0 })
        const headers = Object.fromEntries([
          [name, values],
          ['cookie', values.map(value => `${name}=${value}`).join('; ')],
        ]) as HeaderFields
        const one = request(headers, `/?${values.map(value => `${name}=${value}`).join('&')}`, values[0])
        expect(pool.candidates).toContain(balancer.pick(pool.candidates, one))
        expect(pool.candidates).toContain(hashOf(pool, 'ip').pick(pool.candidates, one))
      }),
    )
  })

  it('may be of any length: it is read in linear time [T-23]', () => {
    const pool = poolOf([1, 2, 3])
    const size = 2_000_000
    // Anything quadratic would take half a minute.
    for (const [hash, one] of [
      ['header:x-room', request({ 'x-room': 'a'.repeat(size) })],
      ['cookie:sid', request({ cookie: 'sid=;'.repeat(size / 5) })],
      ['query:room', request({}, `/?${'room&'.repeat(size / 5)}`)],
      ['path', request({}, `/${'%'.repeat(size)}?`)],
      ['ip', request({}, '/', ':'.repeat(size))],
    ] as const) {
      expect(hashOf(pool, hash).pick(pool.candidates, one)).toBeDefined()
    }
  })
})

describe('a hash', () => {
  it('has not changed: a release that places differently would move sessions', () => {
    const pool = poolOf([1, 1, 2, 3])
    expect(idsOf(hashOf(pool, KEY), pool, sessions(12)).join(' ')).toBe('b1 b1 b3 b1 b3 b0 b3 b1 b2 b0 b0 b2')
  })

  it.each([[[1, 1, 1]], [[5, 3, 2, 2]], [[4, 5, 4, 5, 4]]])(
    'meets the weights %j within a fiftieth over 100,000 sessions',
    weights => {
      const pool = poolOf(weights)
      const got = Object.groupBy(idsOf(hashOf(pool, KEY), pool, sessions(100_000)), id => id ?? '')
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      for (const [n, weight] of weights.entries()) {
        // The standard error of the lightest here, of slots and sessions, is 0.8 % of its share.
        const share = (got[`b${n}`]?.length ?? 0) / 100_000
        expect(Math.abs(share / (weight / total) - 1)).toBeLessThan(0.02)
      }
    },
  )

  it('agrees with any other gateway that has the same seed, whatever either has been through', () => {
    const [one, other] = [poolOf([1, 2, 3]), poolOf([1, 2, 3])]
    other.replace([
      { id: 'b2', url: 'http://x.test:1', weight: 3 },
      { id: 'b0', url: 'http://y.test:1' },
      { id: 'b1', url: 'http://z.test:1', weight: 9 },
    ])
    const [first, second] = [hashOf(one, KEY), hashOf(other, KEY)]
    idsOf(second, other, sessions(500))
    other.setHealthy('b0', false)
    idsOf(second, other, sessions(500))
    other.setHealthy('b0', true)
    other.setWeight('b1', 2)
    expect(idsOf(second, other, sessions(500))).toEqual(idsOf(first, one, sessions(500)))
  })

  it('gives all to the only one that is well [LB160]', () => {
    const pool = poolOf(Array.from({ length: 9 }, () => 1))
    const balancer = hashOf(pool, KEY)
    idsOf(balancer, pool, sessions(50))
    for (const { backend } of pool.backends.slice(0, 8)) pool.setHealthy(backend.id, false)
    expect(new Set(idsOf(balancer, pool, sessions(50)))).toEqual(new Set(['b8']))
  })

  it.each([0, 1.25])(
    'never chooses weight 0, and returns undefined for an empty pool, bound %s [LB162] [LB146] [LB150]',
    boundedLoad => {
      const pool = poolOf([0, 2, 1])
      const balancer = hashOf(pool, KEY, { boundedLoad })
      expect(new Set(idsOf(balancer, pool, sessions(50)))).toEqual(new Set(['b1', 'b2']))
      pool.replace([{ id: 'b0', url: 'http://b0.test:80', weight: 0 }])
      expect(idsOf(balancer, pool, sessions(2))).toEqual([undefined, undefined])
      pool.replace([])
      expect(idsOf(balancer, pool, sessions(2))).toEqual([undefined, undefined])
      expect(balancer.pick(pool.candidates, request({ 'x-session': 'a' }), () => true)).toBeUndefined()
    },
  )

  it.each([0, 1.25])(
    'gives a redispatched request only accepted backends, each once, bound %s [LB111] [LB164]',
    boundedLoad => {
      const pool = poolOf([1, 3, 2, 1])
      const balancer = hashOf(pool, KEY, { boundedLoad })
      for (const one of sessions(20)) {
        const tried: BackendView[] = []
        const next = () => balancer.pick(pool.candidates, one, view => !tried.includes(view))
        const expected = balancer.pick(pool.candidates, one)
        for (let view = next(); view !== undefined; view = next()) tried.push(view)
        expect(tried[0]).toBe(expected)
        expect(tried.map(view => view.backend.id).toSorted()).toEqual(['b0', 'b1', 'b2', 'b3'])
      }
    },
  )

  it('redispatches to where the session goes when its backend leaves, so it moves once', () => {
    const pool = poolOf([1, 2, 3, 4])
    const balancer = hashOf(pool, KEY)
    const all = sessions(200)
    const redispatched = all.map(one => {
      const failed = balancer.pick(pool.candidates, one)
      const next = balancer.pick(pool.candidates, one, view => view !== failed)
      return [failed?.backend.id ?? '', next?.backend.id] as const
    })
    for (const [n, one] of all.entries()) {
      const [failed = '', next] = redispatched[n] ?? []
      pool.setHealthy(failed, false)
      expect(balancer.pick(pool.candidates, one)?.backend.id).toBe(next)
      pool.setHealthy(failed, true)
    }
  })

  it('goes to a draining one when no other is left, and back', () => {
    const pool = poolOf([1, 1, 1])
    const balancer = hashOf(pool, KEY)
    const before = idsOf(balancer, pool, sessions(50))
    pool.setState('b0', 'drain')
    const [b1, b2] = pool.backends.slice(1)
    if (b1 === undefined || b2 === undefined) throw new Error('no backends')
    for (const one of sessions(10))
      expect(balancer.pick(pool.candidatesBut([b1, b2]), one)?.backend.id).toBe('b0')
    pool.setState('b0', 'ready')
    expect(idsOf(balancer, pool, sessions(50))).toEqual(before)
  })
})

describe('500 clients behind one address [T-21]', () => {
  const backends = ['a', 'b', 'c', 'd'].map(id => ({ id, url: `http://${id}.test:80` }))
  const balance = { hash: 'ip', boundedLoad: 1.25 } as const
  const behind = (cookie?: string): RequestHead => request(cookie === undefined ? {} : { cookie })

  it('are no more at one backend than 1.25 times the mean', async () => {
    const affinity = createAffinity({ backends, balance, affinity: [] })
    for (let client = 1; client <= 500; client += 1) {
      await affinity.select(behind())
      const worst = Math.max(...affinity.pool.backends.map(view => view.inFlight))
      expect(worst).toBeLessThanOrEqual(Math.ceil((1.25 * client) / 4))
    }
  })

  it('keep their backends when they come back with their cookies', async () => {
    const affinity = createAffinity({ backends, balance, secrets: [SEED] })
    const leases: Lease[] = []
    for (let client = 0; client < 500; client += 1) leases.push(await affinity.select(behind()))
    const cookies = leases.map(lease => {
      const [line = ''] = [lease.responded({ statusCode: 200, headers: {} })['set-cookie'] ?? ''].flat()
      return line.split(';', 1)[0]
    })
    const had = leases.map(lease => lease.backend.id)
    for (const lease of leases) lease.release()
    expect(new Set(had).size).toBe(4)
    const again: string[] = []
    for (const cookie of cookies) {
      const lease = await affinity.select(behind(cookie))
      expect(lease.status).toBe('matched')
      again.push(lease.backend.id)
      lease.release()
    }
    expect(again).toEqual(had)
  })
})
