import type { Balancer } from './balancer.ts'
import type { BackendView } from '../pool/backend-view.ts'
import type { Candidates } from '../pool/candidates.ts'

/**
 * The backend with the fewest requests in flight for its weight.
 * Good for: requests of very different cost. The price: reads every candidate, so `random-two` suits large pools better.
 */
export function leastRequests(): Balancer {
  // Where the last scan began: equals take turns, rather than the first of the list getting every quiet moment.
  let start = 0
  function next(candidates: Candidates): number {
    return start + 1 < candidates.length ? start + 1 : 0
  }
  return {
    name: 'least-requests',
    pick(candidates, _request, accepts) {
      start = next(candidates)
      return leastFrom(start, candidates, accepts)
    },
    peek: (candidates, _request, accepts) => leastFrom(next(candidates), candidates, accepts),
  }
}

function leastFrom(
  start: number,
  candidates: Candidates,
  accepts?: (view: BackendView) => boolean,
): BackendView | undefined {
  const count = candidates.length
  let least: BackendView | undefined
  for (let offset = 0; offset < count; offset += 1) {
    const index = start + offset
    const view = candidates[index < count ? index : index - count]
    if (view === undefined || accepts?.(view) === false) continue
    if (least === undefined || isLessLoaded(view, least)) least = view
  }
  return least
}

/** With the request that is to come counted in, so that of two idle backends the heavier weight wins. */
export function isLessLoaded(a: BackendView, b: BackendView): boolean {
  return (
    (a.inFlight + a.elsewhere + 1) * b.effectiveWeight < (b.inFlight + b.elsewhere + 1) * a.effectiveWeight
  )
}
