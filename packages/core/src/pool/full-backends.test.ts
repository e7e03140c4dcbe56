import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AffinityOptions } from '../affinity-options.ts'
import { affinityOf, codeOf, cookieAt, fail, leaseOf, spread, START, visit } from './pool-visits.fixture.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

useFakeTimers(START)

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
