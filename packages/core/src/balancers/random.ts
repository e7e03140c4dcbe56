import type { Balancer } from './balancer.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'

/**
 * One at random, by weight: each session is drawn for itself.
 * Good for: many gateways over one pool, which keep no step with each other. The price: knows nothing of load, and is
 * less even than turns are; `random-two` is as cheap and looks at the load.
 * @param unit uniform in [0, 1)
 */
export function random(unit: () => number = Math.random): Balancer {
  let urn = newUrn([])
  return {
    name: 'random',
    pick(candidates, _request, accepts) {
      // Only a redispatch or a full backend needs a filter, and the urn it draws from is used once.
      if (accepts !== undefined) return draw(newUrn(candidates.filter(view => accepts(view))), unit())
      if (urn.candidates !== candidates) urn = newUrn(candidates)
      return draw(urn, unit())
    },
  }
}

interface Urn {
  readonly candidates: Candidates
  /** Cumulative weights: the n-th is the sum of the first n + 1. */
  readonly sums: readonly number[]
  readonly total: number
}

function newUrn(candidates: Candidates): Urn {
  let total = 0
  const sums = candidates.map(({ effectiveWeight }) => (total += effectiveWeight))
  return { candidates, sums, total }
}

/** The first backend whose cumulative weight is above the drawn share, by bisection. */
function draw({ candidates, sums, total }: Urn, unit: number): BackendView | undefined {
  const drawn = unit * total
  let low = 0
  let high = sums.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > drawn) high = middle
    else low = middle + 1
  }
  return candidates[low]
}
