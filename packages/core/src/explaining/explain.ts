import type { Balancer } from '../balancers/balancer.ts'
import type { AffinityError } from '../errors.ts'
import type { RequestHead } from '../head.ts'
import { decide, type Decision, type DecisionContext, type Wait } from '../selection/decision.ts'
import { decidePinned } from '../selection/pinned.ts'
import { claimsOf, type ReadKeys } from './explained-keys.ts'
import type { Explanation, KeyExplanation, PolicyExplanation } from './explanation.ts'
import { explainBackends, keptFrom } from './obstacles.ts'
import { reasonOf } from './reason.ts'

/** The decision about a request that is not sent: as `select()` would decide now, and without an effect. */
export function foretell(
  context: DecisionContext,
  request: RequestHead,
  read: readonly ReadKeys[],
): Explanation {
  const peeking = new PeekingBalancer(context.balancer)
  const decision = decide({ ...context, balancer: peeking }, request, claimsOf(read))
  return explanationOf(context, read, decision, peeking.isUnknown)
}

/**
 * The decision about a request, taken down when it is made: the pool changes with the next request.
 * @param isDrawn the balancer draws, and was not asked
 * @param pin the id of the backend to which the request is pinned
 */
export function explanationOf(
  context: DecisionContext,
  read: readonly ReadKeys[],
  decision: Decision | Wait | undefined,
  isDrawn = false,
  pin?: string,
): Explanation {
  const { pool, balancer } = context
  const view = decision !== undefined && 'view' in decision ? decision.view : undefined
  const policies = explainPolicies(context, read, view?.backend.id)
  const isByKey = policies.some(({ keys }) => keys.some(isDeciding))
  const facts = {
    pool: pool.name,
    backend: isDrawn && !isByKey ? undefined : view?.backend.id,
    status: decision !== undefined && 'status' in decision ? decision.status : 'none',
    by: view === undefined ? 'none' : pin === view.backend.id ? 'pin' : isByKey ? 'key' : 'balancer',
    policies,
    balancer: balancer.name,
    backends: explainBackends(pool),
    ...(decision !== undefined &&
      'timeoutMs' in decision && {
        waits: { for: decision.waitFor?.backend.id, timeoutMs: decision.timeoutMs },
      }),
  } as const
  return { ...facts, reason: reasonOf(facts, pin) }
}

/** The decision about a pinned request that is not sent. @param pin the id of a member */
export function foretellPinned(context: DecisionContext, request: RequestHead, pin: string): Explanation {
  const peeking = new PeekingBalancer(context.balancer)
  const decision = decidePinned({ ...context, balancer: peeking }, request, pin)
  return explanationOf(context, [], decision, peeking.isUnknown, pin)
}

/** Of a request that is refused whatever its keys are. */
export function explainRefusal({ pool, balancer }: DecisionContext, error: AffinityError): Explanation {
  const facts = {
    pool: pool.name,
    backend: undefined,
    status: 'none',
    by: 'none',
    policies: [],
    balancer: balancer.name,
    backends: explainBackends(pool),
    error: {
      code: error.code,
      statusCode: error.statusCode,
      ...('reason' in error && { reason: error.reason }),
    },
  } as const
  return { ...facts, reason: reasonOf(facts) }
}

/** @param chosen the backend that a key has chosen */
function explainPolicies(
  context: DecisionContext,
  read: readonly ReadKeys[],
  chosen: string | undefined,
): readonly PolicyExplanation[] {
  let isDecided = false
  return read.map(({ policy, keys }) => ({
    policy,
    keys: keys.map(({ claim, ...shown }): KeyExplanation => {
      if (claim.kind !== 'backend') return { claim: claim.kind, ...shown }
      const { id, sessionId } = claim
      const kept = keptFrom(context.pool, id, sessionId, context.returnFromBackup)
      const decides = !isDecided && kept === undefined && id === chosen
      isDecided ||= decides
      const obstacle = kept ?? (decides ? undefined : 'later')
      return { claim: claim.kind, backend: id, ...(obstacle !== undefined && { obstacle }), ...shown }
    }),
  }))
}

function isDeciding({ claim, obstacle }: KeyExplanation): boolean {
  return claim === 'backend' && obstacle === undefined
}

/** The balancer of a decision that is not carried out. */
class PeekingBalancer implements Balancer {
  readonly name: string
  readonly #balancer: Balancer
  /** It was asked, and its choice cannot be known. */
  isUnknown = false

  constructor(balancer: Balancer) {
    this.name = balancer.name
    this.#balancer = balancer
  }

  pick(...question: Parameters<Balancer['pick']>): ReturnType<Balancer['pick']> {
    const [candidates, , accepts] = question
    if (this.#balancer.peek !== undefined) return this.#balancer.peek(...question)
    const able = accepts === undefined ? candidates : candidates.filter(view => accepts(view))
    this.isUnknown ||= able.length > 1
    // Any will do: only whether there is one is of use.
    return able[0]
  }
}
