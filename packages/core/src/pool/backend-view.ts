import type { AdminState, Backend, BackendOptions } from './backend.ts'
import type { Discovered } from './discovered.ts'
import type { BackendCounts } from '../counts/backend-counts.ts'
import type { Failure } from '../failure.ts'
import type { WaitingRequests } from './waiting-requests.ts'

/**
 * The live state of a backend, read-only outside of the pool.
 * Two facts stay apart: an operator's command (`state`) and the observed health (`healthy`).
 */
export interface BackendView {
  readonly backend: Backend
  readonly state: AdminState
  /** Health checks and discovery have not found it down, and requests have not taken it out. */
  readonly healthy: boolean
  /** Whether a session that is tied to it may go on there: draining or not, whatever the weight. */
  readonly isUsable: boolean
  /**
   * Whether this session may go on there, as of `isUsable`; in the `spread` of a drain, until its turn has come.
   * @param sessionId as of its claim
   */
  keeps(sessionId: string | undefined): boolean
  /** Takes new sessions only when no other can. */
  readonly backup: boolean
  /** The weight that was configured or set by an operator. */
  readonly weight: number
  /** The weight that balancers use: `weight`, or less of it during slow start. */
  readonly effectiveWeight: number
  /** Requests that it may have at one time; 0: any number. */
  readonly maxInFlight: number
  /** Other words for it in affinity keys, beside its id. */
  readonly aliases: readonly string[]
  /** Requests that hold it now. */
  readonly inFlight: number
  /** Those of them that are tunnels, as WebSockets are. */
  readonly tunnels: number
  /** Requests that hold it in other processes that share the pool's counts, as far as they are known. */
  readonly elsewhere: number
  /** Requests that ever held it. */
  readonly requests: number
  /** Requests to which it did not respond, or not to the end. */
  readonly failures: number
  /** The last result of health checks; undefined: there is none. */
  readonly checked: boolean | undefined
  /** It says of itself that it drains: it keeps its sessions and takes no new one. */
  readonly selfDraining: boolean
  /** The last report of discovery; undefined: the backend is configured, or an operator has added it. */
  readonly discovered: Discovered | undefined
  /** Options that would configure it as it is now. */
  readonly options: BackendOptions
}

/** One request's place in a backend's counts. */
export interface Hold {
  /** The rest of the backend's counts, for the lease to write. */
  readonly counts: BackendCounts
  /** The head of its response has arrived. */
  responded(statusCode: number): void
  /** The backend did not respond to this request, or not to the end. */
  failed(failure: Failure): void
  /** Confirms a failure as the backend's: another backend has responded to the same request. */
  blame(): void
  /** To be called once, when the request no longer holds the backend. */
  release(): void
  /** Told when the backend is found down. A request stands here only while it waits for the head of its response. */
  readonly waiting: WaitingRequests
  /** Listeners that are called when the pool recalls requests, with the session of each. Each adder removes its own. */
  readonly recalls: Map<() => void, string | undefined>
  /** Whether the requests of this session were recalled already. */
  isRecalled(sessionId: string | undefined): boolean
}

/** Whether one more request may go there. */
export function hasRoom({ maxInFlight, inFlight, elsewhere }: BackendView): boolean {
  return maxInFlight === 0 || inFlight + elsewhere < maxInFlight
}
