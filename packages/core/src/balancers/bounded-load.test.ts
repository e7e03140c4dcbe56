import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendView, Hold } from '../pool/backend-view.ts'
import type { LivePool } from '../pool/live-pool.ts'
import { hashOf, idsOf, KEY, poolOf, request, sessions } from './hashed-pool.fixture.ts'

/** The number of requests that the bound allows, in integers: hundredths, so that no rounding is hidden. */
function most(boundedLoad: number, pool: LivePool, view: BackendView): number {
  const weight = pool.candidates.reduce((sum, one) => sum + one.weight, 0)
  return Math.ceil((Math.round(boundedLoad * 100) * view.weight * (pool.inFlight + 1)) / (100 * weight))
}

describe('a bound on the load of a hash', () => {
  const step = fc.record({
    comes: fc.nat(9),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  const trace = fc.array(step, { minLength: 300, maxLength: 300, size: 'max' })
  const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 })

  it.each([1.05, 1.25, 2])('of %s holds at every step of a skewed trace', boundedLoad => {
    // The n-th of 1,000 keys comes 1 / n^1.1 as often as the first.
    const sums: number[] = []
    for (let n = 1; n <= 1_000; n += 1) sums.push((sums.at(-1) ?? 0) + n ** -1.1)
    fc.assert(
      fc.property(weights, trace, (given, steps) => {
        const pool = poolOf(given)
        const [bounded, free] = [hashOf(pool, KEY, { boundedLoad }), hashOf(pool, KEY)]
        const held: Hold[] = []
        for (const { comes, at } of steps) {
          // Six come for every four that go.
          const [gone] = comes < 4 ? held.splice(Math.floor(at * held.length), 1) : []
          gone?.release()
          if (comes < 4) continue
          const key = sums.findIndex(sum => sum > at * (sums.at(-1) ?? 0))
          const one = request({ 'x-session': `${key}` })
          const [view, wanted] = [bounded, free].map(each => each.pick(pool.candidates, one))
          if (view === undefined || wanted === undefined) throw new Error('no candidate')
          expect(view.inFlight + 1).toBeLessThanOrEqual(most(boundedLoad, pool, view))
          const hasRoom = wanted.inFlight + 1 <= most(boundedLoad, pool, wanted)
          expect(view === wanted).toBe(hasRoom)
          held.push(pool.hold(view))
        }
      }),
      { numRuns: 25 },
    )
  })

  it('always leaves a candidate below the bound, whatever is in flight at candidates and at others', () => {
    const load = fc.record({
      weight: fc.integer({ min: 1, max: 5 }),
      inFlight: fc.nat(9),
      drains: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(load, { minLength: 1, maxLength: 8 }), fc.string(), (loads, key) => {
        const pool = poolOf(loads.map(({ weight }) => weight))
        for (const [n, view] of pool.backends.entries()) {
          for (let held = 0; held < (loads[n]?.inFlight ?? 0); held += 1) pool.hold(view)
          if (loads[n]?.drains === true) pool.setState(view.backend.id, 'drain')
        }
        const view = hashOf(pool, KEY, { boundedLoad: 1.05 }).pick(
          pool.candidates,
          request({ 'x-session': key || 'a' }),
        )
        if (view === undefined) throw new Error('no candidate')
        expect(view.inFlight + 1).toBeLessThanOrEqual(most(1.05, pool, view))
      }),
    )
  })

  it('leaves a lone client where it is', () => {
    const pool = poolOf([1, 1, 1, 1, 1])
    const [bounded, free] = [hashOf(pool, KEY, { boundedLoad: 1.05 }), hashOf(pool, KEY)]
    const all = sessions(100)
    expect(idsOf(bounded, pool, all)).toEqual(idsOf(free, pool, all))
  })

  it('is no reason to refuse a redispatch', () => {
    const pool = poolOf([1, 1])
    const [full, idle] = pool.backends
    if (full === undefined || idle === undefined) throw new Error('no backends')
    for (let n = 0; n < 9; n += 1) pool.hold(full)
    const balancer = hashOf(pool, KEY, { boundedLoad: 1.25 })
    for (const one of sessions(20)) {
      expect(balancer.pick(pool.candidates, one, view => view !== idle)).toBe(full)
      expect(balancer.pick(pool.candidates, one, () => true)).toBe(idle)
    }
  })

  it('counts a request once that is redispatched', () => {
    const pool = poolOf([1, 1, 1, 1])
    const [failed, other] = pool.backends
    if (failed === undefined || other === undefined) throw new Error('no backends')
    // Of three in flight no backend may have more than one: ceil(1.25 * 3 / 4). Of four it might be two.
    for (const view of [failed, failed, other]) pool.hold(view)
    const balancer = hashOf(pool, KEY, { boundedLoad: 1.25 })
    const got = sessions(50).map(
      one => balancer.pick(pool.candidates, one, view => view !== failed)?.backend.id,
    )
    expect(new Set(got)).toEqual(new Set(['b2', 'b3']))
  })
})
