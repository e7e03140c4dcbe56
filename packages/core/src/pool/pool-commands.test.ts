import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendOptions } from './backend.ts'
import { OptionError } from '../options/option.ts'
import { LivePool } from './live-pool.ts'
import { backend, hold, optionOf, poolOf } from './pool.fixture.ts'

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
