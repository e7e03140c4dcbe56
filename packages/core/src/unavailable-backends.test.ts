import { describe, expect, it } from 'vitest'
import type { Affinity } from './affinity.ts'
import { affinityOf, cookiesOf, errorOf, leaseOf, visit } from './affinity.fixture.ts'

describe('a backend that drains', () => {
  it('keeps its sessions and gets no new one [LB053] [LB093] [LB135] [LB144] [LB202]', () => {
    const affinity = affinityOf('abc')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setState('a', 'drain')
    const tied = Array.from({ length: 4 }, () => visit(affinity, cookie))
    expect(tied).toEqual(
      Array.from({ length: 4 }, () => ({ backend: 'a', status: 'matched', told: undefined })),
    )
    const placed = Array.from({ length: 4 }, () => visit(affinity).backend)
    expect(placed.toSorted()).toEqual(['b', 'b', 'c', 'c'])
  })

  it('gets new ones when no other is left, rather than a 503 [LB145]', () => {
    const affinity = affinityOf('ab')
    affinity.pool.setState('a', 'drain')
    affinity.pool.setState('b', 'maint')
    expect(visit(affinity)).toMatchObject({ backend: 'a', status: 'none' })
  })
})

describe('a backend of weight 0', () => {
  it('keeps its sessions and gets no new one [LB055] [LB162]', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setWeight('a', 0)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'a', status: 'matched' })
    expect(new Set(Array.from({ length: 6 }, () => visit(affinity).backend))).toEqual(new Set(['b']))
  })

  it('is not chosen for a new client, though it is the last [LB055] [LB146]', () => {
    const affinity = affinityOf('a')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setWeight('a', 0)
    expect(visit(affinity, cookie).backend).toBe('a')
    expect(errorOf(() => leaseOf(affinity))).toMatchObject({ code: 'ERR_NO_BACKEND', statusCode: 503 })
  })
})

describe('a backend that is down', () => {
  it('loses its sessions to another, and they do not come back with it [LB058] [LB154] [LB206]', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    const moved = visit(affinity, cookie)
    expect(moved).toMatchObject({ backend: 'b', status: 'unavailable' })
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, moved.told)).toEqual({ backend: 'b', status: 'matched', told: undefined })
  })

  it('loses them in maintenance too, ill or not', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setState('a', 'maint')
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'b', status: 'unavailable' })
  })

  it('keeps the session of a client that did not hear of the move', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    leaseOf(affinity, cookie).release()
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, cookie)).toEqual({ backend: 'a', status: 'matched', told: undefined })
  })

  it('leaves the last that is well to all [LB160]', () => {
    const affinity = affinityOf('abcdefghi')
    const cookies = cookiesOf(affinity)
    for (const id of 'abcdefgh') affinity.pool.setHealthy(id, false)
    expect([undefined, cookies['a'], cookies['i']].map(cookie => visit(affinity, cookie).backend)).toEqual([
      'i',
      'i',
      'i',
    ])
  })

  it.each<[string, (affinity: Affinity) => void]>([
    ['when it was the only one [LB081] [LB150]', affinity => affinity.pool.setHealthy('a', false)],
    ['when the pool is empty [LB150] [LB178]', affinity => affinity.pool.remove('a')],
  ])('results in 503 for known and new clients, %s', (_, change) => {
    const affinity = affinityOf('a')
    const cookie = cookiesOf(affinity)['a']
    change(affinity)
    for (const line of [undefined, cookie, 'SERVERID=garbage']) {
      // An error has no response to set a cookie on [LB121] [T-18].
      expect(errorOf(() => leaseOf(affinity, line))).toMatchObject({
        code: 'ERR_NO_BACKEND',
        statusCode: 503,
      })
    }
  })
})

describe('onUnavailable: reject', () => {
  it('responds with 503 to a session whose backend is down, and keeps it [LB184] [LB200]', () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    expect(errorOf(() => leaseOf(affinity, cookie))).toMatchObject({
      code: 'ERR_NO_BACKEND',
      statusCode: 503,
    })
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, cookie)).toEqual({ backend: 'a', status: 'matched', told: undefined })
  })

  it.each<[string, (affinity: Affinity) => string | undefined]>([
    ['is new', () => undefined],
    ['has a forged key', () => 'SERVERID=garbage'],
    ['has a key of a backend that is gone', () => cookiesOf(affinityOf('xy'))['x']],
    [
      'has another key that can be used',
      affinity => `${cookiesOf(affinity)['a']}; ${cookiesOf(affinity)['b']}`,
    ],
  ])('places a session that %s as ever [LB200]', (_, cookie) => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const line = cookie(affinity)
    affinity.pool.setHealthy('a', false)
    expect(visit(affinity, line).backend).toBe('b')
  })
})
