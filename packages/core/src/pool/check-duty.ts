import type { Backend } from './backend.ts'

/** The result of the checks of one backend, for another process. */
export interface CheckedState {
  readonly healthy: boolean
  readonly selfDraining: boolean
  /** Why it is down, for the log. */
  readonly reason: string | undefined
  /** Results in a row that contradict `healthy`: they count towards `fall` or `rise` of the next process. */
  readonly against: number
  /** When it was checked last, in milliseconds since the epoch; undefined: not yet. */
  readonly atMs: number | undefined
}

/** Health checks of several processes that serve the same pool: one of them makes the checks, and tells the others. */
export interface CheckDuty {
  /** Whether this process makes the checks. */
  readonly isOn: boolean
  /** The last result that this process or another has told; undefined: none. */
  known(backend: Backend): CheckedState | undefined
  /** Tells the other processes a result of this one. */
  tell(backend: Backend, state: CheckedState): void
  /** Forgets a backend that has left the pool, and has the other processes forget it. */
  forget(backend: Backend): void
  /**
   * Calls `listener` with the id of a backend that another process has told about, or without one when `isOn` has
   * changed, until the function that it returns is called.
   */
  watch(listener: (id?: string) => void): () => void
}
