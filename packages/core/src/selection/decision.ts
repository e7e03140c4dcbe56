import type { Balancer } from '../balancers/balancer.ts'
import type { RequestHead } from '../head.ts'
import type { AffinityStatus } from '../counts/affinity-status.ts'
import type { Claim, Claims } from '../policies/policy.ts'
import { type BackendView, hasRoom } from '../pool/backend-view.ts'
import { place } from './placement.ts'
import type { LivePool } from '../pool/live-pool.ts'

/** The result of `select`. */
export interface Decision {
  readonly view: BackendView
  readonly status: AffinityStatus
  /** For each policy, the claim that decided or the first that it read. */
  readonly claims: readonly Claim[]
  /** All that each policy read. */
  readonly read: readonly Claims[]
  /** The request is pinned to a backend, so it has no session. @default false */
  readonly isPinned?: true
}

/** No backend can take the request now. */
export interface Wait {
  /** The awaited backend; undefined: any. */
  readonly waitFor: BackendView | undefined
  readonly timeoutMs: number
}

/** The parts of an affinity that a decision needs. */
export interface DecisionContext {
  readonly pool: LivePool
  readonly balancer: Balancer
  readonly onUnavailable: 'redispatch' | 'reject'
  readonly whenFull: 'overflow' | 'wait' | 'reject'
  readonly returnFromBackup: boolean
  readonly queueTimeoutMs: number
  /** 0: requests do not wait for a backend. */
  readonly waitForBackendMs: number
}

/**
 * A backend that is named, known and usable keeps its session, draining or not; otherwise the balancer picks.
 * Undefined when no backend may take the request.
 * @param read the claims of each policy, in their order
 * @param queued its place in the queue, when it waits already
 */
export function decide(
  context: DecisionContext,
  request: RequestHead,
  read: readonly Claims[],
  queued?: Wait,
): Decision | Wait | undefined {
  const { pool, onUnavailable, whenFull, waitForBackendMs } = context
  // An array of this length: one that grows has room for 17, and lives as long as the request.
  const claims = read.map(first)
  let status: AffinityStatus = 'none'
  let view: BackendView | undefined
  for (let index = 0; index < read.length; index += 1) {
    const several = read[index] ?? NONE
    const usable = view === undefined ? firstUsable(context, several) : undefined
    if (usable !== undefined) {
      view = usableView(context, usable)
      claims[index] = usable
    } else if (view === undefined) {
      status = furthest(pool, several, status)
    }
  }
  if (view !== undefined) {
    if (hasRoom(view)) return { view, status: 'matched', claims, read }
    if (whenFull === 'reject') return undefined
    if (whenFull === 'wait' && (queued?.waitFor === view || pool.queue.hasRoom(view)))
      return { waitFor: view, timeoutMs: context.queueTimeoutMs }
    status = 'unavailable'
    view = claimedView(context, read, [])
  } else if (status === 'unavailable' && onUnavailable === 'reject') {
    const down = downView(pool, read)
    if (down !== undefined) return wait(pool, down, waitForBackendMs, queued)
  }
  view ??= place(context, request)
  if (view !== undefined) return { view, status, claims, read }
  const isFull = pool.candidates.length > 0
  const timeoutMs = isFull && whenFull === 'wait' ? context.queueTimeoutMs : isFull ? 0 : waitForBackendMs
  return wait(pool, undefined, timeoutMs, queued)
}

function wait(
  { queue }: LivePool,
  waitFor: BackendView | undefined,
  timeoutMs: number,
  queued: Wait | undefined,
): Wait | undefined {
  // A request that waits already may move to another line, and keeps its deadline.
  return queued !== undefined || (timeoutMs > 0 && queue.hasRoom(waitFor))
    ? { waitFor, timeoutMs }
    : undefined
}

/** The first usable backend with room that the claims name, but those of `tried`. */
export function claimedView(
  context: DecisionContext,
  read: readonly Claims[],
  tried: readonly BackendView[],
): BackendView | undefined {
  for (const claim of read.flat()) {
    const view = usableView(context, claim)
    if (view !== undefined && hasRoom(view) && !tried.includes(view)) return view
  }
  return undefined
}

function firstUsable(context: DecisionContext, claims: Claims): Claim | undefined {
  if (isList(claims)) return claims.find(claim => usableView(context, claim) !== undefined)
  return usableView(context, claims) === undefined ? undefined : claims
}

function usableView({ pool, returnFromBackup }: DecisionContext, claim: Claim): BackendView | undefined {
  const view = claim.kind === 'backend' ? pool.find(claim.id) : undefined
  if (claim.kind !== 'backend' || view?.keeps(claim.sessionId) !== true) return undefined
  if (!returnFromBackup || !view.backup) return view
  return pool.candidates.some(other => !other.backup && hasRoom(other)) ? undefined : view
}

/** The backend of a session that is to have no other: a member, or a departed one. */
function downView(pool: LivePool, read: readonly Claims[]): BackendView | undefined {
  for (const claim of read.flat()) {
    if (claim.kind !== 'backend') continue
    const view = pool.find(claim.id)
    if (view === undefined) {
      const departed = pool.findDeparted(claim.id)
      if (departed !== undefined) return departed
    } else if (!view.keeps(claim.sessionId)) return view
  }
  return undefined
}

function first(claims: Claims): Claim {
  return isList(claims) ? (claims[0] ?? NONE) : claims
}

const NONE: Claim = { kind: 'none' }

/** Of several keys without a usable backend, the status is that of the one that was valid the furthest. */
const ORDER: readonly AffinityStatus[] = ['none', 'invalid', 'expired', 'unknown', 'unavailable']

function furthest(pool: LivePool, claims: Claims, soFar: AffinityStatus): AffinityStatus {
  const statuses = (isList(claims) ? claims : [claims]).map(claim => statusOf(pool, claim))
  return statuses.reduce((far, status) => (ORDER.indexOf(status) > ORDER.indexOf(far) ? status : far), soFar)
}

function statusOf(pool: LivePool, claim: Claim): AffinityStatus {
  if (claim.kind !== 'backend') return claim.kind
  return (pool.find(claim.id) ?? pool.findDeparted(claim.id)) === undefined ? 'unknown' : 'unavailable'
}

function isList(claims: Claims): claims is readonly Claim[] {
  return Array.isArray(claims)
}
