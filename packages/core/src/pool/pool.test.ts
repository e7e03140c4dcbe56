import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendOptions } from './backend.ts'
import { OptionError } from '../options/option.ts'
import type { Hold } from './backend-view.ts'
import { LivePool } from './live-pool.ts'

function backend(id: string, more: Partial<BackendOptions> = {}): BackendOptions {
  return { id, url: `http://${id}.test:80`, ...more }
}

function poolOf(...ids: string[]): LivePool {
  return new LivePool(
    'p',
    ids.map(id => backend(id)),
  )
}

function hold(pool: LivePool, id: string): Hold {
  const view = pool.find(id)
  if (view === undefined) throw new Error(`no backend has the id ${id}`)
  return pool.hold(view)
}

function candidatesOf(pool: LivePool): string[] {
  return pool.candidates.map(view => view.backend.id)
}

function optionOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof OptionError) return error.option
    throw error
  }
  return 'accepted'
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

describe('commands and observations', () => {
  it('are two facts: neither hides or changes the other', () => {
    const pool = poolOf('a')
    pool.setHealthy('a', false)
    pool.setState('a', 'drain')
    expect(pool.find('a')).toMatchObject({ state: 'drain', healthy: false })
    pool.setState('a', 'ready')
    expect(pool.find('a')).toMatchObject({ state: 'ready', healthy: false })
    pool.setHealthy('a', true)
    expect(pool.find('a')).toMatchObject({ state: 'ready', healthy: true })
  })

  it.each<[string, (pool: LivePool) => void, string]>([
    ['a state of an unknown backend', pool => pool.setState('x', 'drain'), 'id'],
    ['an unknown state', pool => pool.setState('a', 'up' as never), 'state'],
    ['a weight of an unknown backend', pool => pool.setWeight('x', 1), 'id'],
    ['a weight of 257', pool => pool.setWeight('a', 257), 'weight'],
    ['a weight of a half', pool => pool.setWeight('a', 0.5), 'weight'],
    ['a negative weight', pool => pool.setWeight('a', -1), 'weight'],
    ['health of an unknown backend', pool => pool.setHealthy('x', true), 'id'],
    ['a member whose id is taken', pool => pool.add(backend('a')), 'backend.id'],
    ['a malformed member', pool => pool.add({ id: 'b', url: 'b' }), 'backend.url'],
  ])('refuses %s, and stays as it was', (_, change, option) => {
    const pool = poolOf('a')
    expect(optionOf(() => change(pool))).toBe(option)
    expect(pool.backends).toHaveLength(1)
    expect(pool.find('a')).toMatchObject({ state: 'ready', weight: 1, healthy: true, requests: 0 })
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

describe('adding and removing', () => {
  it('changes the list of members, and never a list that was handed out', () => {
    const pool = poolOf('a')
    const before = pool.backends
    expect(pool.add(backend('b', { weight: 3 }))).toMatchObject({ weight: 3, backend: { id: 'b' } })
    expect(before).toHaveLength(1)
    expect(pool.backends.map(view => view.backend.id)).toEqual(['a', 'b'])
    expect(pool.remove('a')).toBe(true)
    expect(pool.backends.map(view => view.backend.id)).toEqual(['b'])
  })

  it('returns false when there is none to remove, and changes nothing', () => {
    const pool = poolOf('a')
    const before = pool.backends
    expect(pool.remove('x')).toBe(false)
    expect(pool.backends).toBe(before)
  })
})

describe('replacing all members', () => {
  it('keeps the health and the counts of members that stay, by id and url', () => {
    const pool = poolOf('a', 'b')
    const held = hold(pool, 'a')
    held.failed({ kind: 'broken', slow: false, cause: undefined })
    pool.setHealthy('a', false)
    pool.replace([backend('c'), backend('a', { weight: 7, state: 'drain' })])
    expect(pool.backends.map(view => view.backend.id)).toEqual(['c', 'a'])
    expect(pool.find('a')).toMatchObject({
      healthy: false,
      inFlight: 1,
      requests: 1,
      failures: 1,
      weight: 7,
      state: 'drain',
    })
    held.release()
    expect(pool.find('a')?.inFlight).toBe(0)
  })

  it('sets the state and the weight back when the new list does not say them', () => {
    const pool = new LivePool('p', [backend('a', { weight: 7, state: 'drain' })])
    pool.replace([backend('a')])
    expect(pool.find('a')).toMatchObject({ weight: 1, state: 'ready' })
  })

  it('takes a known id with another url for another server', () => {
    const pool = poolOf('a')
    hold(pool, 'a')
    pool.setHealthy('a', false)
    pool.replace([backend('a', { url: 'http://a.test:81' })])
    expect(pool.find('a')).toMatchObject({ healthy: true, inFlight: 0, requests: 0 })
    expect(pool.find('a')?.backend.url.port).toBe('81')
  })

  it.each<[string, BackendOptions[]]>([
    [
      'a malformed member at its end',
      [backend('a', { weight: 9, state: 'maint' }), backend('c'), { id: 'x', url: 'x' }],
    ],
    ['an id that stands twice', [backend('a', { weight: 9 }), backend('a', { weight: 8 })]],
  ])('with %s changes nothing', (_, backends) => {
    const pool = poolOf('a', 'b')
    const { candidates, backends: before } = pool
    expect(() => pool.replace(backends)).toThrow(OptionError)
    expect(pool.backends).toBe(before)
    expect(pool.candidates).toBe(candidates)
    expect(pool.find('a')).toMatchObject({ weight: 1, state: 'ready' })
  })

  it('keeps health and counts through any row of replacements', () => {
    const ids = fc.subarray(['a', 'b', 'c', 'd'])
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 8 }), rows => {
        const pool = poolOf('a', 'b', 'c', 'd')
        const held = new Map<string, number>()
        for (const row of rows) {
          for (const {
            backend: { id },
          } of pool.backends) {
            hold(pool, id)
            held.set(id, (held.get(id) ?? 0) + 1)
          }
          pool.replace(row.map(id => backend(id)))
          for (const id of [...held.keys()].filter(one => !row.includes(one))) held.delete(id)
          for (const id of row) expect(pool.find(id)?.inFlight).toBe(held.get(id) ?? 0)
        }
      }),
    )
  })
})

describe('aliases of a pool', () => {
  const named = (pool: LivePool, word: string): string | undefined => pool.named(word)?.backend.id

  it('name their backend, and follow the members', () => {
    const pool = new LivePool('p', [
      backend('a', { aliases: ['s1'] }),
      backend('b', { aliases: ['s2', 'two'] }),
    ])
    expect(['a', 's1', 's2', 'two', 's3'].map(word => named(pool, word))).toEqual([
      'a',
      'a',
      'b',
      'b',
      undefined,
    ])
    pool.replace([backend('a', { aliases: ['s2'] }), backend('b')])
    expect(['s1', 's2', 'two'].map(word => named(pool, word))).toEqual([undefined, 'a', undefined])
    pool.add(backend('c', { aliases: ['s3'] }))
    expect(named(pool, 's3')).toBe('c')
    pool.remove('c')
    expect(named(pool, 's3')).toBeUndefined()
  })

  it('stay with a pool that takes over, and with the options of a member', () => {
    const pool = new LivePool('p', [backend('a', { aliases: ['s1'], maxInFlight: 3 })])
    const next = new LivePool('p', [])
    next.takeOver(pool)
    expect(named(next, 's1')).toBe('a')
    expect(next.find('a')?.options).toMatchObject({ aliases: ['s1'], maxInFlight: 3 })
  })

  it('are of one backend, also of one that is added', () => {
    const pool = new LivePool('p', [backend('a', { aliases: ['s1'] })])
    expect(optionOf(() => pool.add(backend('s1')))).toBe('backend.id')
    expect(optionOf(() => pool.add(backend('b', { aliases: ['x', 's1'] })))).toBe('backend.aliases[1]')
    expect(optionOf(() => pool.add(backend('b', { aliases: ['b'] })))).toBe('backend.aliases[0]')
    expect(optionOf(() => pool.add(backend('b', { aliases: ['x', 'x'] })))).toBe('backend.aliases[1]')
    expect(optionOf(() => pool.replace([backend('a', { aliases: ['b'] }), backend('b')]))).toBe(
      'backends[0].aliases[0]',
    )
    expect(named(pool, 's1')).toBe('a')
  })
})
