import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { leastRequests } from './least-requests.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

interface Load {
  readonly weight: number
  readonly inFlight: number
}

function poolOf(loads: readonly Load[]): LivePool {
  const pool = new LivePool(
    'p',
    loads.map(({ weight }, n) => ({ id: `b${n}`, weight, url: `http://b${n}.test:80` })),
  )
  for (const [n, view] of pool.backends.entries())
    for (let held = 0; held < (loads[n]?.inFlight ?? 0); held += 1) pool.hold(view)
  return pool
}

const load = fc.record({ weight: fc.integer({ min: 1, max: 9 }), inFlight: fc.nat(9) })

describe('least requests', () => {
  it('picks one that has the fewest requests for its weight, with this one counted in', () => {
    fc.assert(
      fc.property(fc.array(load, { minLength: 1, maxLength: 8 }), fc.nat(8), (loads, warmUp) => {
        const pool = poolOf(loads)
        const balancer = leastRequests()
        for (let n = 0; n < warmUp; n += 1) balancer.pick(pool.candidates, BARE_REQUEST)
        const picked = balancer.pick(pool.candidates, BARE_REQUEST)
        const cost = ({ weight, inFlight }: Load) => (inFlight + 1) / weight
        expect(picked && cost(picked)).toBeCloseTo(Math.min(...loads.map(cost)), 10)
      }),
    )
  })

  it.each([
    ['the idle one', [3, 0, 2], [1, 1, 1], 'b1'],
    ['the heavier of two idle ones', [0, 0], [1, 5], 'b1'],
    ['the one that is less busy for its weight', [2, 3], [1, 3], 'b1'],
  ])('picks %s', (_, inFlight, weight, expected) => {
    const pool = poolOf(inFlight.map((count, n) => ({ inFlight: count, weight: weight[n] ?? 1 })))
    const balancer = leastRequests()
    const picked = Array.from({ length: 6 }, () => balancer.pick(pool.candidates, BARE_REQUEST)?.backend.id)
    expect(new Set(picked)).toEqual(new Set([expected]))
  })

  it('lets equals take turns', () => {
    const pool = poolOf(Array.from({ length: 4 }, () => ({ weight: 1, inFlight: 0 })))
    const balancer = leastRequests()
    const picked = Array.from({ length: 12 }, () => balancer.pick(pool.candidates, BARE_REQUEST)?.backend.id)
    expect(['b0', 'b1', 'b2', 'b3'].map(id => picked.filter(one => one === id).length)).toEqual([3, 3, 3, 3])
  })

  it('spreads open requests by weight', () => {
    const pool = poolOf([
      { weight: 1, inFlight: 0 },
      { weight: 3, inFlight: 0 },
    ])
    const balancer = leastRequests()
    for (let n = 0; n < 40; n += 1) {
      const view = balancer.pick(pool.candidates, BARE_REQUEST)
      if (view !== undefined) pool.hold(view)
    }
    expect(pool.backends.map(view => view.inFlight)).toEqual([10, 30])
  })

  it('gives a redispatched request only accepted backends, each once [LB111] [LB164]', () => {
    const pool = poolOf(Array.from({ length: 4 }, (_, n) => ({ weight: 1, inFlight: n })))
    const balancer = leastRequests()
    const tried: string[] = []
    const next = () =>
      balancer.pick(pool.candidates, BARE_REQUEST, view => !tried.includes(view.backend.id))?.backend.id
    for (let id = next(); id !== undefined; id = next()) tried.push(id)
    expect(tried).toEqual(['b0', 'b1', 'b2', 'b3'])
  })

  it('returns undefined for an empty pool [LB150]', () => {
    expect(leastRequests().pick([], BARE_REQUEST)).toBeUndefined()
  })
})
