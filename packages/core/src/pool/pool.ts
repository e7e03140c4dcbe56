import type { BackendView } from './backend-view.ts'
import type { AdminState, Backend, BackendOptions } from './backend.ts'
import type { Candidates } from './candidates.ts'
import type { CheckDuty } from './check-duty.ts'
import type { CheckResult, CountedConnection } from '../counts/backend-counts.ts'
import type { Discovered } from './discovered.ts'
import type { Drain, DrainOptions } from './drain.ts'

/** A set of backends: what operators, health checks and discovery see of it, and may change while it is used. */
export interface Pool {
  readonly name: string
  /** Every member, in the order of configuration. A new list whenever membership changes. */
  readonly backends: readonly BackendView[]
  /** Backends that may take a new session. */
  readonly candidates: Candidates
  /** Members that discovery has removed less than the grace time ago. */
  readonly departed: readonly BackendView[]
  /** Requests in flight at all backends, those that were removed meanwhile among them. */
  readonly inFlight: number
  /** Requests that ever held a backend, each as often as it was given another. */
  readonly requests: number
  /** Requests that wait for a backend. */
  readonly queued: number
  find(id: string): BackendView | undefined
  /** One of `departed`, by its id. */
  findDeparted(id: string): BackendView | undefined
  /** The member, or the departed one, that a word of an affinity key stands for: its id, or one of its aliases. */
  named(word: string): BackendView | undefined
  /**
   * Makes `backends` the members. A backend that stays, by id and url, keeps its health and counts and takes the
   * new options. A known id with another url is another server: it starts afresh.
   * @param discovered discovery's reports on its own backends, by id @default the last ones. A discovered member that
   *   such a change removes stays among `departed` for the grace time.
   * @throws OptionError for a malformed backend or a duplicate id; then nothing has changed.
   */
  replace(backends: readonly BackendOptions[], discovered?: ReadonlyMap<string, Discovered>): void
  /**
   * Takes over the state of `before`, for a pool that is reconfigured while it serves: its members become this one's,
   * with their counts, operators' commands and observed health. Publishes no event, because nothing has changed.
   * Requests in flight at `before` end there: they count in the figures of both, and are not in flight here.
   * @throws TypeError for a pool that `createAffinity()` of this copy of the package has not made
   */
  takeOver(before: Pool): void
  /** @throws OptionError for a malformed backend, or an id or an alias that is taken. */
  add(backend: BackendOptions): BackendView
  /**
   * Removes a backend. Its requests in flight finish; its sessions are placed anew, at once.
   * @returns false for an id that is no member's. If discovery has removed it, its grace time ends.
   */
  remove(id: string): boolean
  /**
   * Ends a drain that is under way, whatever the state.
   * @throws OptionError for an unknown id or state.
   */
  setState(id: string, state: AdminState): void
  /** @throws OptionError for an unknown id, or a weight that is not 0 to 256. */
  setWeight(id: string, weight: number): void
  /** @throws OptionError for an unknown id. */
  setBackup(id: string, backup: boolean): void
  /**
   * @param maxInFlight 0: no limit; undefined: the pool's default
   * @throws OptionError for an unknown id or an invalid number.
   */
  setMaxInFlight(id: string, maxInFlight: number | undefined): void
  /**
   * Records an observation of a backend's health, as a health check does. An unhealthy backend takes no request.
   * @param reason for the log
   * @throws OptionError for an unknown id.
   */
  setHealthy(id: string, healthy: boolean, reason?: string): void
  /**
   * Records that a backend says of itself that it drains, as to a health check. It keeps its sessions and takes no new
   * one, whatever its state.
   * @throws OptionError for an unknown id.
   */
  setSelfDraining(id: string, selfDraining: boolean): void
  /** Records the result of one health check for the figures, whether or not it changes the backend's health. */
  noteCheck(id: string, result: Omit<CheckResult, 'atMs'>): void
  /**
   * Sets the requests that a backend has in flight in other processes. They count towards `maxInFlight`, and in balancers
   * that compare loads.
   * @throws OptionError for an unknown id.
   */
  setElsewhere(id: string, inFlight: number): void
  /** How processes that serve the same pool share its health checks; undefined: this process makes them. */
  readonly checkDuty: CheckDuty | undefined
  /** Shares the health checks of the pool with other processes. Call it before a forwarder is made for the pool. */
  shareChecks(duty: CheckDuty): void
  /** Counts the bytes of a connection to `backend`, until it closes. */
  countConnection(backend: Backend, connection: CountedConnection): void
  /**
   * Drains a backend: it keeps its sessions and takes no new one, until none is left or the deadline has passed.
   * Remaining sessions then move, over `spread`. The backend goes into maintenance, and can be stopped.
   * @throws OptionError for an unknown id, or a wrong option.
   */
  drain(id: string, options?: DrainOptions): Drain
  /** The drain of a backend that is under way. */
  drainOf(id: string): Drain | undefined
  /** Asks requests and tunnels without an end of their own, at all backends, to end now: the gateway shuts down. */
  recall(): void
  /** Live sessions that are tied to a backend, as far as this process has seen them; undefined when not counted. */
  sessionsOf(id: string): number | undefined
  /** Calls `watcher` when membership or a commanded state may have changed, until the function that it returns is called. */
  watch(watcher: () => void): () => void
}
