import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { randomTwo } from './random-two.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

/** A pool of backends `b0`, `b1` and so on, with the given numbers of requests in flight. */
function poolOf(inFlight: readonly number[], weight = 1): LivePool {
  const pool = new LivePool(
    'p',
    inFlight.map((_, n) => ({ id: `b${n}`, weight, url: `http://b${n}.test:80` })),
  )
  for (const [n, view] of pool.backends.entries())
    for (let held = 0; held < (inFlight[n] ?? 0); held += 1) pool.hold(view)
  return pool
}

/** Random numbers that are none: these, one after the other. */
function script(numbers: readonly number[]): () => number {
  let at = 0
  return () => {
    at += 1
    return numbers[at - 1] ?? 0
  }
}

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('random two', () => {
  it('draws two different ones, so the busiest of all is never picked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(8), unit, unit, (count, busiest, first, second) => {
        const place = busiest % count
        const pool = poolOf(Array.from({ length: count }, (_, n) => (n === place ? 1 : 0)))
        const picked = randomTwo(script([first, second])).pick(pool.candidates, BARE_REQUEST)
        expect(picked).toBeDefined()
        expect(picked?.backend.id).not.toBe(`b${place}`)
      }),
    )
  })

  it('draws every pair as often as any other', () => {
    const count = 5
    const pool = poolOf(Array.from({ length: count }, (_, n) => n))
    const picked = new Map<string, number>()
    for (let first = 0; first < count; first += 1) {
      for (let second = 0; second < count - 1; second += 1) {
        const random = script([(first + 0.5) / count, (second + 0.5) / (count - 1)])
        const id = randomTwo(random).pick(pool.candidates, BARE_REQUEST)?.backend.id ?? 'none'
        picked.set(id, (picked.get(id) ?? 0) + 1)
      }
    }
    // The n-th is the less loaded one of every pair with those behind it, drawn in two orders.
    expect(Object.fromEntries(picked)).toEqual({ b0: 8, b1: 6, b2: 4, b3: 2 })
  })

  it('minds the weight', () => {
    const pool = new LivePool('p', [
      { id: 'light', url: 'http://light.test:80', weight: 1 },
      { id: 'heavy', url: 'http://heavy.test:80', weight: 4 },
    ])
    for (const heavy of pool.backends.slice(1)) for (let n = 0; n < 2; n += 1) pool.hold(heavy)
    const random = [script([0, 0]), script([0.9, 0])]
    expect(random.map(one => randomTwo(one).pick(pool.candidates, BARE_REQUEST)?.backend.id)).toEqual([
      'heavy',
      'heavy',
    ])
  })

  it('picks the only one', () => {
    expect(randomTwo().pick(poolOf([7]).candidates, BARE_REQUEST)?.backend.id).toBe('b0')
  })

  it('returns undefined for an empty pool [LB150]', () => {
    expect(randomTwo().pick([], BARE_REQUEST)).toBeUndefined()
  })

  it('gives a redispatched request only accepted backends, each once [LB111] [LB164]', () => {
    fc.assert(
      fc.property(fc.array(unit, { minLength: 12, maxLength: 12 }), numbers => {
        const pool = poolOf([0, 3, 1, 2])
        const balancer = randomTwo(script(numbers))
        const tried: string[] = []
        const next = () =>
          balancer.pick(pool.candidates, BARE_REQUEST, view => !tried.includes(view.backend.id))?.backend.id
        for (let id = next(); id !== undefined; id = next()) tried.push(id)
        expect(tried.toSorted()).toEqual(['b0', 'b1', 'b2', 'b3'])
      }),
    )
  })
})
