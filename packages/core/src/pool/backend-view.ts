import type { AdminState, Backend, BackendOptions } from './backend.ts'
import type { Discovered } from './discovered.ts'
import type { Failure } from '../failure.ts'

/**
 * A backend as the pool knows it now: live, and read-only to everyone but the pool.
 * Two facts stay apart: what an operator commanded (`state`), and what was observed (`healthy`).
 */
export interface BackendView {
  readonly backend: Backend
  readonly state: AdminState
  /** Health checks and discovery have not found it down, and requests have not taken it out. */
  readonly healthy: boolean
  /** Whether a session that is tied to it may go on there: draining or not, whatever the weight. */
  readonly isUsable: boolean
  /** Takes new sessions only when no other can. */
  readonly backup: boolean
  /** What an operator gave it. */
  readonly weight: number
  /** What a balancer goes by: the weight, or less of it during slow start. */
  readonly effectiveWeight: number
  /** Requests that it may have at one time; 0: any number. */
  readonly maxInFlight: number
  /** Other words for it in affinity keys, beside its id. */
  readonly aliases: readonly string[]
  /** Requests that hold it now. */
  readonly inFlight: number
  /** Requests that ever held it. */
  readonly requests: number
  /** Requests that it did not answer, or not to the end. */
  readonly failures: number
  /** What health checks have found last; undefined: none has found anything. */
  readonly checked: boolean | undefined
  /** What discovery said of it last; undefined: it is configured, or an operator has added it. */
  readonly discovered: Discovered | undefined
  /** What would configure it as it is now. */
  readonly options: BackendOptions
}

/** One request's place in a backend's counts. */
export interface Hold {
  /** The head of its answer is here. */
  responded(statusCode: number): void
  /** The backend did not answer this request, or not to the end. */
  failed(failure: Failure): void
  /** Another has answered what this one had not: so it was not the request's doing. */
  blame(): void
  /** To be called once, when the request no longer holds the backend. */
  release(): void
  /** Listeners to be told when the pool wants its requests back. Whoever adds one takes it out. */
  readonly recalls: Set<() => void>
  /** Whether it has wanted them back already, as those learn that come late. */
  isRecalled(): boolean
}

/** Whether one more request may go there. */
export function hasRoom({ maxInFlight, inFlight }: BackendView): boolean {
  return maxInFlight === 0 || inFlight < maxInFlight
}
