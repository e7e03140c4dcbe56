import { type AffinityOptions, createAffinity, type Pool } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import type { PoolConfig } from '../config/config.ts'
import { changeBackends, takeOver } from './takeover.ts'

type Backend = NonNullable<AffinityOptions['backends']>[number]
type Changes = Readonly<Record<string, Partial<Backend>>>

/** The part of a file that has these backends, each with its other options. */
function configOf(backends: Changes): PoolConfig {
  const list = Object.entries(backends).map(([id, more]) =>
    Object.assign({ id, url: `http://${id}.test` }, more),
  )
  return { options: { backends: list } } as unknown as PoolConfig
}

function poolOf({ options: { backends = [] } }: PoolConfig): Pool {
  return createAffinity({ backends, affinity: [] }).pool
}

/** The backends of a pool after a reload. @param command what an operator has done before */
function reloaded(
  was: Changes,
  is: Changes,
  command: (pool: Pool) => void = () => undefined,
): readonly Backend[] {
  const [before, after] = [configOf(was), configOf(is)]
  const pool = poolOf(before)
  command(pool)
  changeBackends(pool, before, after)
  return pool.backends.map(({ options }) => options)
}

const idsOf = (backends: readonly Backend[]): readonly string[] => backends.map(({ id }) => id)

describe('a reload', () => {
  it('adds, removes and changes backends, in the order of the file', () => {
    const backends = reloaded({ a: {}, b: {}, c: {} }, { d: {}, c: { weight: 5 }, a: {} })
    expect(idsOf(backends)).toEqual(['d', 'c', 'a'])
    expect(backends[1]).toMatchObject({ weight: 5 })
  })

  it.each<[string, Partial<Backend>]>([
    ['weight', { weight: 5 }],
    ['state', { state: 'drain' }],
    ['backup', { backup: true }],
    ['maxInFlight', { maxInFlight: 7 }],
    ['aliases', { aliases: ['s1'] }],
    ['url', { url: 'http://z.test/' }],
  ])('applies a change of %s', (_, change) => {
    const [backend] = reloaded({ a: {}, b: {} }, { a: change, b: {} })
    expect(JSON.parse(JSON.stringify(backend))).toMatchObject(change)
  })

  it("keeps an operator's commands, unless the file says another thing than before", () => {
    const command = (pool: Pool): void => {
      pool.setWeight('a', 9)
      pool.setState('a', 'maint')
      pool.remove('b')
      pool.remove('c')
      pool.add({ id: 'own', url: 'http://own.test' })
    }
    const backends = reloaded({ a: {}, b: {}, c: {} }, { a: { weight: 3 }, b: {}, c: { weight: 2 } }, command)
    expect(backends.map(({ id, weight, state }) => [id, weight, state])).toEqual([
      ['a', 3, 'maint'],
      ['c', 2, 'ready'],
      ['own', 1, 'ready'],
    ])
  })

  it('moves an alias from one backend to another, and removes one', () => {
    const backends = reloaded(
      { a: { aliases: ['s1'] }, b: {}, c: { aliases: ['s3'] } },
      { a: {}, b: { aliases: ['s1'] }, d: { aliases: ['s3'] }, c: {} },
    )
    expect(backends.map(({ aliases }) => aliases)).toEqual([undefined, ['s1'], ['s3'], undefined])
  })

  it('leaves a pool alone whose backends are the same', () => {
    const config = configOf({ a: {} })
    const pool = poolOf(config)
    let changes = 0
    pool.watch(() => (changes += 1))
    changeBackends(pool, config, configOf({ a: {} }))
    expect(changes).toBe(0)
  })
})

describe('a pool that takes over', () => {
  /** A pool that was found down and draining by its checks, and the one that takes over from it. */
  function afterwards(options: object, change: (pool: Pool) => void): Pool {
    const before = configOf({ a: {}, b: {} })
    const pool = poolOf(before)
    change(pool)
    const config = { options: { ...before.options, ...options } } as PoolConfig
    const next = createAffinity({ backends: [], affinity: [] }).pool
    takeOver(next, config, { pool, config: before })
    return next
  }

  it('goes on with the state of the other', () => {
    const next = afterwards({ health: { path: '/health' } }, pool => {
      pool.setState('a', 'drain')
      pool.setHealthy('b', false)
    })
    expect(next.backends.map(({ state, healthy }) => [state, healthy])).toEqual([
      ['drain', true],
      ['ready', false],
    ])
  })

  it('forgets the results of checks that are no longer made', () => {
    const next = afterwards({}, pool => {
      pool.setHealthy('a', false)
      pool.setSelfDraining('b', true)
    })
    expect(next.backends.map(({ healthy, selfDraining }) => [healthy, selfDraining])).toEqual([
      [true, false],
      [true, false],
    ])
  })

  it('keeps discovered backends until it has its own, where it discovers', () => {
    const discover = (pool: Pool): void => {
      const found = { id: 'd', url: 'http://d.test' }
      pool.replace(
        [...pool.backends.map(view => view.options), found],
        new Map([['d', { url: found.url } as never]]),
      )
    }
    const idsWith = (options: object): readonly string[] =>
      afterwards(options, discover).backends.map(({ backend: { id } }) => id)
    expect(idsWith({ discovery: { dns: 'app:80' } })).toEqual(['a', 'b', 'd'])
    expect(idsWith({})).toEqual(['a', 'b'])
  })
})
