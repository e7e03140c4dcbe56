import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendView } from '../pool/backend-view.ts'
import { LivePool } from '../pool/live-pool.ts'
import { roundRobin } from './round-robin.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function poolOf(weights: Readonly<Record<string, number>>): LivePool {
  const backends = Object.entries(weights).map(([id, weight]) => ({
    id,
    weight,
    url: `http://${id}.test:80`,
  }))
  return new LivePool('p', backends)
}

/** The ids of the next `count` picks, one character each. */
function turns(pool: LivePool, count: number, balancer = roundRobin()): string {
  return Array.from(
    { length: count },
    () => balancer.pick(pool.candidates, BARE_REQUEST)?.backend.id ?? '-',
  ).join('')
}

function countOf(text: string, id: string): number {
  return text.split(id).length - 1
}

const IDS = 'abcdefghij'
const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 10 })
const someWeights = weights.map(list => Object.fromEntries(list.map((weight, n) => [IDS[n] ?? '', weight])))

describe('round robin', () => {
  it.each<[string, Record<string, number>, string]>([
    ['gives equals their turns in the order of the list', { a: 1, b: 1, c: 1 }, 'abcabcabc'],
    ['starts smoothly [LB148]', { A: 11, B: 3 }, 'AAABAAAABAAABA'],
    ['gives five against one four turns before the one', { a: 5, b: 1 }, 'aaaabaaaaaba'],
    ['puts light ones between the turns of a heavy one', { h: 3, a: 1, b: 1, c: 1 }, 'ahbhchahbhch'],
    ['gives the same to equal weights, whatever they are', { a: 7, b: 7 }, 'abababab'],
    ['gives a single one every turn', { a: 9 }, 'aaa'],
    ['never chooses weight 0 [LB162]', { a: 0, b: 2, c: 1 }, 'bcbbcb'],
    ['returns undefined when all have weight 0 [LB146]', { a: 0, b: 0 }, '--'],
    ['returns undefined for an empty pool [LB150]', {}, '--'],
  ])('%s', (_, given, expected) => {
    expect(turns(poolOf(given), expected.length)).toBe(expected)
  })

  it('gives exact shares after every full round', () => {
    fc.assert(
      fc.property(someWeights, fc.integer({ min: 1, max: 3 }), (given, rounds) => {
        const total = Object.values(given).reduce((sum, weight) => sum + weight, 0)
        const got = turns(poolOf(given), total * rounds)
        for (const [id, weight] of Object.entries(given)) expect(countOf(got, id)).toBe(weight * rounds)
      }),
      { numRuns: 60 },
    )
  })

  it('is at no moment further from the ideal than the phases allow', () => {
    fc.assert(
      fc.property(someWeights, given => {
        const entries = Object.entries(given)
        const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
        // The first turns of n backends of one weight are at 1/n, 2/n … 1 of their period.
        const sizes = Object.values(Object.groupBy(entries, ([, weight]) => String(weight))).map(
          group => group?.length ?? 0,
        )
        const phases = sizes.reduce((sum, size) => sum + (size + 1) / 2, 0)
        const got = turns(poolOf(given), Math.min(total * 2, 600))
        for (const [id, weight] of entries) {
          const share = weight / total
          let taken = 0
          const ahead = Array.from(got, (picked, index) => {
            if (picked === id) taken += 1
            return taken - (index + 1) * share
          })
          expect(Math.min(...ahead)).toBeGreaterThan(-1 - share * (entries.length - phases) - 1e-9)
          expect(Math.max(...ahead)).toBeLessThan(1 + share * phases + 1e-9)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('still splits by weight after a burst of sessions that were not placed [LB091]', () => {
    const pool = poolOf({ a: 1, b: 2, c: 3, d: 4 })
    for (const view of pool.backends.slice(0, 1)) for (let n = 0; n < 100; n += 1) pool.hold(view)
    const got = turns(pool, 100)
    expect(['a', 'b', 'c', 'd'].map(id => countOf(got, id))).toEqual([10, 20, 30, 40])
  })

  it('begins at another backend in each of several processes', () => {
    const sizes = fc.integer({ min: 1, max: 10 })
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 1, max: 256 }), (size, count, weight) => {
        const ids = IDS.slice(0, Math.max(size, count)).split('')
        const firsts = Array.from({ length: count }, (_, index) =>
          turns(poolOf(Object.fromEntries(ids.map(id => [id, weight]))), 1, roundRobin(index / count)),
        )
        expect(new Set(firsts).size).toBe(count)
      }),
    )
  })

  it('gives exact shares in each process, wherever it begins', () => {
    const starts = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(someWeights, starts, (given, start) => {
        const total = Object.values(given).reduce((sum, weight) => sum + weight, 0)
        const got = turns(poolOf(given), total, roundRobin(start))
        for (const [id, weight] of Object.entries(given))
          expect(Math.abs(countOf(got, id) - weight)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 60 },
    )
  })

  it('gives a backend that joins its first turn at different times in several processes', () => {
    const waits = [0, 1 / 3, 2 / 3].map(start => {
      const pool = poolOf({ a: 1, b: 1 })
      const balancer = roundRobin(start)
      turns(pool, 4, balancer)
      pool.add({ id: 'c', url: 'http://c.test:80' })
      return turns(pool, 4, balancer).indexOf('c')
    })
    expect(new Set(waits)).toEqual(new Set([0, 1, 2]))
  })

  it('continues the round when a backend joins', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 })
    const balancer = roundRobin()
    expect(turns(pool, 1, balancer)).toBe('a')
    pool.add({ id: 'd', url: 'http://d.test:80' })
    // A new backend waits for one round, like one that has just had its turn.
    expect(turns(pool, 8, balancer)).toBe('bcadbcad')
  })

  it('continues the round when a backend leaves', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 1 })
    const balancer = roundRobin()
    expect(turns(pool, 2, balancer)).toBe('ab')
    pool.setHealthy('b', false)
    expect(turns(pool, 5, balancer)).toBe('cdacd')
  })

  it('favours no backend when the list changes before every turn', () => {
    const pool = poolOf({ a: 1, b: 2, c: 3, x: 1 })
    const balancer = roundRobin()
    const got = Array.from({ length: 600 }, (_, n) => {
      pool.setHealthy('x', false)
      if (n % 3 === 0) pool.setState('a', 'ready')
      return turns(pool, 1, balancer)
    }).join('')
    expect(Math.abs(countOf(got, 'a') - 100)).toBeLessThanOrEqual(2)
    expect(Math.abs(countOf(got, 'b') - 200)).toBeLessThanOrEqual(2)
    expect(Math.abs(countOf(got, 'c') - 300)).toBeLessThanOrEqual(2)
  })

  it('gives one that was away no burst when it is back', () => {
    const pool = poolOf({ a: 1, b: 1 })
    const balancer = roundRobin()
    pool.setHealthy('b', false)
    expect(turns(pool, 10, balancer)).toBe('aaaaaaaaaa')
    pool.setHealthy('b', true)
    expect(countOf(turns(pool, 6, balancer), 'b')).toBe(3)
  })

  it('follows a weight that was changed, at once', () => {
    const pool = poolOf({ a: 1, b: 1 })
    const balancer = roundRobin()
    turns(pool, 7, balancer)
    pool.setWeight('a', 3)
    expect(Math.abs(countOf(turns(pool, 40, balancer), 'a') - 30)).toBeLessThanOrEqual(1)
    pool.setWeight('a', 0)
    expect(turns(pool, 3, balancer)).toBe('bbb')
  })

  it('gives a redispatched request only accepted backends, each once [LB111] [LB164]', () => {
    const pool = poolOf({ a: 5, b: 1, c: 1 })
    const balancer = roundRobin()
    const tried: string[] = []
    const next = () =>
      balancer.pick(pool.candidates, BARE_REQUEST, view => !tried.includes(view.backend.id))?.backend.id
    for (let id = next(); id !== undefined; id = next()) tried.push(id)
    expect(tried.toSorted()).toEqual(['a', 'b', 'c'])
  })

  it('gives redispatched requests turns of their own, so that a failing backend is not always the next', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 })
    const balancer = roundRobin()
    const redispatched = Array.from(
      { length: 4 },
      () => balancer.pick(pool.candidates, BARE_REQUEST, view => view.backend.id !== 'a')?.backend.id,
    )
    expect(redispatched.join('')).toBe('bcbc')
    expect(turns(pool, 6, balancer)).toBe('abcabc')
  })

  it('gives one that took others’ requests its turn within a round, once the list changes', () => {
    const pool = poolOf({ a: 1, b: 1, x: 1 })
    const balancer = roundRobin()
    for (let n = 0; n < 20; n += 1)
      balancer.pick(pool.candidates, BARE_REQUEST, view => view.backend.id === 'b')
    pool.remove('x')
    expect(countOf(turns(pool, 8, balancer), 'b')).toBe(4)
  })

  it('picks the backend that a scan for the earliest deadline would', () => {
    const tries = fc.array(fc.option(fc.subarray(IDS.split(''))), { maxLength: 60 })
    fc.assert(
      fc.property(someWeights, tries, (given, accepted) => {
        const pool = poolOf(given)
        const balancer = roundRobin()
        const entries = Object.entries(given)
        const scanned = entries.map(([id, weight], place) => {
          const peers = entries.filter(([, other]) => other === weight)
          const before = entries.slice(0, place + 1).filter(([, other]) => other === weight)
          return { id, weight, next: before.length / peers.length }
        })
        const redispatches = structuredClone(scanned)
        const scan = (ids: readonly string[] | null): string | undefined => {
          const due = (ids === null ? scanned : redispatches)
            .filter(({ id }) => ids === null || ids.includes(id))
            .toSorted((a, b) => a.next / a.weight - b.next / b.weight || a.weight - b.weight)[0]
          if (due !== undefined) due.next += 1
          return due?.id
        }
        const accepts = (ids: readonly string[] | null) =>
          ids === null ? undefined : (view: BackendView) => ids.includes(view.backend.id)
        const picked = accepted.map(
          ids => balancer.pick(pool.candidates, BARE_REQUEST, accepts(ids))?.backend.id,
        )
        expect(picked).toEqual(accepted.map(scan))
      }),
      { numRuns: 300 },
    )
  })
})
