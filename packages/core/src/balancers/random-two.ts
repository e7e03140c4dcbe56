import type { Balancer } from './balancer.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'
import { isLessLoaded } from './least-requests.ts'

/**
 * The less loaded of two drawn at random (the power of two choices; HAProxy's and YARP's default).
 * Good for: large pools, and several gateways over one pool, which do not all run to the same idle backend.
 * The price: small pools are less even than with `least-requests`.
 * @param random uniform in [0, 1)
 */
export function randomTwo(random: () => number = Math.random): Balancer {
  return {
    name: 'random-two',
    pick(candidates, _request, accepts) {
      // Only a redispatch or a full backend needs a filter; all other requests draw from the list as it is.
      const list: Candidates = accepts === undefined ? candidates : candidates.filter(view => accepts(view))
      const count = list.length
      if (count < 2) return list[0]
      const first = Math.floor(random() * count)
      const second = Math.floor(random() * (count - 1))
      // Drawn from one fewer and moved past the first: two different ones, each pair as likely.
      return lessLoaded(list[first], list[second < first ? second : second + 1])
    },
  }
}

function lessLoaded(a: BackendView | undefined, b: BackendView | undefined): BackendView | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return isLessLoaded(b, a) ? b : a
}
