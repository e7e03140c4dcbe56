import type { AffinityStatus } from '../counts/affinity-status.ts'
import type { RefusalReason } from '../errors.ts'
import type { FailureKind } from '../failure.ts'
import type { Claim } from '../policies/policy.ts'

/** Why a request gets its backend, as plain data. Values of sessions are shortened, and secrets are never in it. */
export interface Explanation {
  readonly pool: string
  /** The id of the backend. Undefined: there is none now, or it is drawn when the request comes. */
  readonly backend: string | undefined
  readonly status: AffinityStatus
  /** The part that decided: a pin of the request, a key that a policy has read, the balancer, or `none`, because no backend is chosen. */
  readonly by: 'pin' | 'key' | 'balancer' | 'none'
  /** The decision in a sentence. */
  readonly reason: string
  /** One for each policy, in their order. Empty for a request that `ignore` leaves out. */
  readonly policies: readonly PolicyExplanation[]
  readonly balancer: string
  /** All backends of the pool, or as many as there is room for. */
  readonly backends: readonly BackendExplanation[]
  /** How many more there are. Absent: none. */
  readonly backendsLeftOut?: number
  /** The request waits, or has waited, for this backend, or for any. */
  readonly waits?: { readonly for: string | undefined; readonly timeoutMs: number }
  /** The response of limpet's own, in place of a backend's. */
  readonly error?: ExplainedError
  /** How long the request waited for a backend, in milliseconds. Absent: it did not, or was not sent. */
  readonly queuedMs?: number
  /** The attempts so far, in their order. Absent: the request was not sent. */
  readonly attempts?: readonly AttemptExplanation[]
}

export interface PolicyExplanation {
  readonly policy: string
  /** The keys that it has read, in the order of preference; or one, of kind `none`, for the place that has none. */
  readonly keys: readonly KeyExplanation[]
}

export interface KeyExplanation {
  readonly claim: Claim['kind']
  /** The id of the backend that the key names. */
  readonly backend?: string
  /** Why that backend does not get the request. Absent: it does, or the key names none. */
  readonly obstacle?: Obstacle
  /** The place of the key, as `cookie SERVERID`. */
  readonly field?: string
  readonly format?: string
  /** The value, shortened. */
  readonly value?: string
  readonly note?: string
}

/**
 * Why a backend does not get a request.
 * - `down`: health checks or discovery say so; `ejected`: by outlier detection; `maint`: an operator's command
 * - `drain`: of an operator, and `self-drain` of its own: it takes no new session
 * - `left`: it drains, and the session's time to move has come
 * - `full`: it has `maxInFlight` requests; `weight-0`; `backup`: others can take the request
 * - `removed`: it is not in the pool
 * - `later`: another key came first
 */
export type Obstacle =
  | 'down'
  | 'ejected'
  | 'maint'
  | 'drain'
  | 'self-drain'
  | 'left'
  | 'full'
  | 'weight-0'
  | 'backup'
  | 'removed'
  | 'later'

export interface BackendExplanation {
  readonly id: string
  /** Whether a request without a session may go there. */
  readonly candidate: boolean
  /** Why not. */
  readonly obstacle?: Obstacle
}

export interface AttemptExplanation {
  readonly backend: string
  /** Absent: it is under way. */
  readonly outcome?: FailureKind | 'responded'
  readonly statusCode?: number
  readonly ms: number
}

export interface ExplainedError {
  readonly code: string
  readonly statusCode: number
  readonly reason?: RefusalReason
}
