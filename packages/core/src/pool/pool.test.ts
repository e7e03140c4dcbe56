import { describe, expect, it } from 'vitest'
import type { BackendOptions } from './backend.ts'
import { LivePool } from './live-pool.ts'
import { backend, hold, optionOf, poolOf } from './pool.fixture.ts'

function candidatesOf(pool: LivePool): string[] {
  return pool.candidates.map(view => view.backend.id)
}

describe('a pool', () => {
  it('keeps the order of configuration', () => {
    const pool = poolOf('c', 'a', 'b')
    expect(pool.backends.map(view => view.backend.id)).toEqual(['c', 'a', 'b'])
    expect(candidatesOf(pool)).toEqual(['c', 'a', 'b'])
  })

  it('tells its watchers of each change of membership or state, until they leave', async () => {
    const pool = poolOf('a')
    const seen: string[] = []
    const leave = pool.watch(() =>
      seen.push(pool.backends.map(view => `${view.backend.id} ${view.state}`).join(', ')),
    )
    pool.add(backend('b'))
    pool.remove('a')
    pool.setWeight('b', 2)
    pool.setState('b', 'maint')
    pool.replace([backend('c')])
    pool.countSessionsWith(() => 0)
    await pool.drain('c').drained
    leave()
    pool.add(backend('d'))
    expect(seen).toEqual(['a ready, b ready', 'b ready', 'b maint', 'c ready', 'c drain', 'c maint'])
  })

  it('finds members and no other id [T-11] [T-13]', () => {
    const pool = poolOf('a')
    expect(pool.find('a')?.backend.url.href).toBe('http://a.test/')
    expect(['b', '', '__proto__', 'constructor', 'http://a.test:80'].map(id => pool.find(id))).toEqual(
      Array.from({ length: 5 }),
    )
  })

  it('starts every backend ready, healthy, idle and of weight 1', () => {
    expect(poolOf('a').find('a')).toMatchObject({
      state: 'ready',
      healthy: true,
      weight: 1,
      inFlight: 0,
      requests: 0,
      failures: 0,
    })
  })

  it('may be empty [LB150]', () => {
    expect(candidatesOf(poolOf())).toEqual([])
  })

  it.each<[string, BackendOptions[], string]>([
    [
      'an id that stands twice',
      [backend('a'), backend('b'), backend('a', { url: 'http://x.test:80' })],
      'backends[2].id',
    ],
    ['a malformed backend', [backend('a'), backend('b b')], 'backends[1].id'],
  ])('refuses %s', (_, backends, option) => {
    expect(optionOf(() => new LivePool('p', backends))).toBe(option)
  })

  it.each([undefined, null, 'a', {}, 7])('refuses %j for a list of backends', value => {
    expect(optionOf(() => new LivePool('p', value as never))).toBe('backends')
  })
})

describe('candidates', () => {
  it('exclude backends that drain, are in maintenance, unhealthy or of weight 0 [LB053] [LB093] [LB135] [LB162] [LB202]', () => {
    const pool = poolOf('a', 'b', 'c', 'd', 'e')
    pool.setState('a', 'drain')
    pool.setState('b', 'maint')
    pool.setHealthy('c', false)
    pool.setWeight('d', 0)
    expect(candidatesOf(pool)).toEqual(['e'])
  })

  it('are the draining ones when no other is left [LB145]', () => {
    const pool = poolOf('a', 'b', 'c')
    pool.setState('a', 'drain')
    pool.setState('b', 'drain')
    pool.setHealthy('c', false)
    expect(candidatesOf(pool)).toEqual(['a', 'b'])
    pool.setHealthy('c', true)
    expect(candidatesOf(pool)).toEqual(['c'])
  })

  it.each<[string, (pool: LivePool) => void]>([
    ['in maintenance', pool => pool.setState('a', 'maint')],
    ['ill', pool => pool.setHealthy('a', false)],
    ['of weight 0 [LB055] [LB146]', pool => pool.setWeight('a', 0)],
    ['of weight 0 and draining', pool => [pool.setWeight('a', 0), pool.setState('a', 'drain')]],
    ['gone [LB150]', pool => pool.remove('a')],
  ])('are empty when the only backend is %s', (_, change) => {
    const pool = poolOf('a')
    change(pool)
    expect(candidatesOf(pool)).toEqual([])
  })

  it.each<[string, (pool: LivePool) => void]>([
    ['a state', pool => pool.setState('a', 'drain')],
    ['a weight', pool => pool.setWeight('a', 5)],
    ['health', pool => pool.setHealthy('a', false)],
    ['a new member', pool => pool.add(backend('c'))],
    ['a member that leaves', pool => pool.remove('a')],
    ['replacing all', pool => pool.replace([backend('a', { weight: 2 })])],
  ])('are a new list after a change of %s, and the old list stays as it was', (_, change) => {
    const pool = poolOf('a', 'b')
    const before = pool.candidates
    expect(pool.candidates).toBe(before)
    change(pool)
    expect(pool.candidates).not.toBe(before)
    expect(before.map(view => view.backend.id)).toEqual(['a', 'b'])
  })

  it('are the same list while requests come and go', () => {
    const pool = poolOf('a', 'b')
    const before = pool.candidates
    const held = hold(pool, 'a')
    held.failed({ kind: 'broken', slow: false, cause: undefined })
    held.release()
    expect(pool.candidates).toBe(before)
  })
})

describe('a session that is tied to a backend', () => {
  it.each<[string, (pool: LivePool) => void, boolean]>([
    ['stays while it drains [LB053] [LB202]', pool => pool.setState('a', 'drain'), true],
    ['stays when its weight is 0 [LB055]', pool => pool.setWeight('a', 0), true],
    ['leaves when it goes into maintenance', pool => pool.setState('a', 'maint'), false],
    ['leaves when it falls ill', pool => pool.setHealthy('a', false), false],
    [
      'leaves when it drains and falls ill',
      pool => [pool.setState('a', 'drain'), pool.setHealthy('a', false)],
      false,
    ],
  ])('%s', (_, change, expected) => {
    const pool = poolOf('a')
    change(pool)
    const view = pool.find('a')
    expect(view?.isUsable).toBe(expected)
  })
})

describe('counts', () => {
  it('go up with a request, and the one of those in flight down again', () => {
    const pool = poolOf('a')
    const [first, second] = [hold(pool, 'a'), hold(pool, 'a')]
    expect(pool.find('a')).toMatchObject({ inFlight: 2, requests: 2, failures: 0 })
    first.failed({ kind: 'broken', slow: false, cause: undefined })
    first.release()
    second.release()
    expect(pool.find('a')).toMatchObject({ inFlight: 0, requests: 2, failures: 1 })
  })

  it('of a removed member return to 0 there, and do not touch a new member with its id', () => {
    const pool = poolOf('a')
    const old = pool.find('a')
    const held = hold(pool, 'a')
    pool.remove('a')
    pool.add(backend('a', { url: 'http://other.test:80' }))
    held.failed({ kind: 'broken', slow: false, cause: undefined })
    held.release()
    expect(old).toMatchObject({ inFlight: 0, failures: 1 })
    expect(pool.find('a')).toMatchObject({ inFlight: 0, requests: 0, failures: 0 })
  })
})

it('a request is counted nowhere for a backend that no pool made', () => {
  const pool = poolOf('a')
  const [view] = pool.backends
  expect(view).toBeDefined()
  expect(() => view && pool.hold({ ...view })).toThrow(TypeError)
})
