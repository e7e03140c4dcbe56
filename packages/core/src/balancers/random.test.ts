import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendView } from '../pool/backend-view.ts'
import { LivePool } from '../pool/live-pool.ts'
import { random } from './random.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function poolOf(weights: readonly number[]): LivePool {
  return new LivePool(
    'p',
    weights.map((weight, n) => ({ id: `b${n}`, weight, url: `http://b${n}.test:80` })),
  )
}

/** How often each is picked by as many draws, at even distances. */
function counts(pool: LivePool, draws: number, accepts?: (view: BackendView) => boolean): number[] {
  let turn = 0
  const balancer = random(() => (turn + 0.5) / draws)
  const picks = new Map<BackendView | undefined, number>()
  for (turn = 0; turn < draws; turn += 1) {
    const view = balancer.pick(pool.candidates, BARE_REQUEST, accepts)
    picks.set(view, (picks.get(view) ?? 0) + 1)
  }
  return pool.backends.map(view => picks.get(view) ?? 0)
}

const someWeights = fc.array(fc.nat(256), { minLength: 1, maxLength: 20 })

describe('random', () => {
  it('draws each in exact proportion to its weight, and weight 0 never [LB162]', () => {
    fc.assert(
      fc.property(someWeights, fc.integer({ min: 1, max: 3 }), (weights, times) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        fc.pre(total > 0)
        expect(counts(poolOf(weights), total * times)).toEqual(weights.map(weight => weight * times))
      }),
    )
  })

  it('gives a draw on a border to the next', () => {
    const pool = poolOf([1, 2, 1])
    const drawn = [0, 0.25, 0.75].map(
      unit => random(() => unit).pick(pool.candidates, BARE_REQUEST)?.backend.id,
    )
    expect(drawn).toEqual(['b0', 'b1', 'b2'])
  })

  it('draws in proportion among those that a redispatch accepts', () => {
    const pool = poolOf([1, 2, 3, 4])
    expect(counts(pool, 8, view => view.backend.id !== 'b1')).toEqual([1, 0, 3, 4])
  })

  it('minds every change of the pool', () => {
    const pool = poolOf([1, 1, 2])
    const units = [0, 0.3, 0.6, 0.9]
    let at = 0
    const balancer = random(() => units[at++ % units.length] ?? 0)
    const four = () => units.map(() => balancer.pick(pool.candidates, BARE_REQUEST)?.backend.id).join(' ')
    expect(four()).toBe('b0 b1 b2 b2')
    pool.setWeight('b2', 1)
    pool.setHealthy('b0', false)
    expect(four()).toBe('b1 b1 b2 b2')
  })

  it('gives a redispatched request only accepted backends, each once [LB111] [LB164]', () => {
    const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.array(unit, { minLength: 5, maxLength: 5 }), numbers => {
        const pool = poolOf([1, 5, 2, 1])
        const left = [...numbers]
        const balancer = random(() => left.shift() ?? 0)
        const tried: string[] = []
        const next = () =>
          balancer.pick(pool.candidates, BARE_REQUEST, view => !tried.includes(view.backend.id))?.backend.id
        for (let id = next(); id !== undefined; id = next()) tried.push(id)
        expect(tried.toSorted()).toEqual(['b0', 'b1', 'b2', 'b3'])
      }),
    )
  })

  it('returns undefined for an empty pool [LB150]', () => {
    expect(random().pick([], BARE_REQUEST)).toBeUndefined()
  })
})
