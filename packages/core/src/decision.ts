import type { Balancer } from './balancer.ts'
import type { RequestHead } from './head.ts'
import type { Claim, Claims } from './policy.ts'
import { type BackendView, isUsable, type Pool } from './pool.ts'

/**
 * How a request's affinity was found (HAProxy's log letters, in words): no key; one that is not ours;
 * one that is too old; one that nobody remembers, or of a backend that has left the pool; one of a backend
 * that is down; or a key whose backend has the request now.
 */
export type AffinityStatus = 'none' | 'invalid' | 'expired' | 'unknown' | 'unavailable' | 'matched'

/** What `select` decided. */
export interface Decision {
  readonly view: BackendView
  readonly status: AffinityStatus
  /** For each policy, the claim that decided or the first that it read. */
  readonly claims: readonly Claim[]
  /** All that each policy read. */
  readonly read: readonly Claims[]
}

/** What deciding needs to know. */
export interface DecisionContext {
  readonly pool: Pool
  readonly balancer: Balancer
  readonly onUnavailable: 'redispatch' | 'reject'
}

/**
 * A backend that is named, known and usable keeps its session, draining or not; otherwise the balancer picks.
 * Undefined when nobody may take the request.
 * @param read what each policy read, in their order
 */
export function decide(
  context: DecisionContext,
  request: RequestHead,
  read: readonly Claims[],
): Decision | undefined {
  const { pool, balancer, onUnavailable } = context
  const claims: Claim[] = []
  let status: AffinityStatus = 'none'
  let view: BackendView | undefined
  for (const several of read) {
    const usable = view === undefined ? firstUsable(pool, several) : undefined
    if (usable !== undefined) view = usableView(pool, usable)
    else if (view === undefined) status = furthest(pool, several, status)
    claims.push(usable ?? first(several))
  }
  if (view !== undefined) return { view, status: 'matched', claims, read }
  if (status === 'unavailable' && onUnavailable === 'reject') return undefined
  view = balancer.pick(pool.candidates, request)
  return view === undefined ? undefined : { view, status, claims, read }
}

/** The first usable backend that the claims name, but those of `tried`. */
export function claimedView(
  pool: Pool,
  read: readonly Claims[],
  tried: readonly BackendView[],
): BackendView | undefined {
  for (const claim of read.flat()) {
    const view = usableView(pool, claim)
    if (view !== undefined && !tried.includes(view)) return view
  }
  return undefined
}

function firstUsable(pool: Pool, claims: Claims): Claim | undefined {
  if (isList(claims)) return claims.find(claim => usableView(pool, claim) !== undefined)
  return usableView(pool, claims) === undefined ? undefined : claims
}

function usableView(pool: Pool, claim: Claim): BackendView | undefined {
  const view = claim.kind === 'backend' ? pool.find(claim.id) : undefined
  return view !== undefined && isUsable(view) ? view : undefined
}

function first(claims: Claims): Claim {
  return isList(claims) ? (claims[0] ?? NONE) : claims
}

const NONE: Claim = { kind: 'none' }

/** Of several keys that came to nothing, the one that came furthest is what happened. */
const ORDER: readonly AffinityStatus[] = ['none', 'invalid', 'expired', 'unknown', 'unavailable']

function furthest(pool: Pool, claims: Claims, soFar: AffinityStatus): AffinityStatus {
  const statuses = (isList(claims) ? claims : [claims]).map(claim => statusOf(pool, claim))
  return statuses.reduce((far, status) => (ORDER.indexOf(status) > ORDER.indexOf(far) ? status : far), soFar)
}

function statusOf(pool: Pool, claim: Claim): AffinityStatus {
  if (claim.kind !== 'backend') return claim.kind
  return pool.find(claim.id) === undefined ? 'unknown' : 'unavailable'
}

function isList(claims: Claims): claims is readonly Claim[] {
  return Array.isArray(claims)
}
