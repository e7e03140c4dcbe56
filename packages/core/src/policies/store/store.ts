import type { Pseudonyms } from './pseudonyms.ts'

/**
 * The memory of a policy: the backend of each session. Any client of a shared memory fits by its shape. Its methods
 * may return promises; an error is published and costs a session its backend at most.
 */
export interface AffinityStore {
  /** The id of the backend; undefined or null for a key that is not known, or not any more. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>
  /** As `get()`, and does not count as a use of the key. For explanations alone. Absent: `get()` is called. */
  peek?(key: string): string | null | undefined
  /** Remembers the backend for this long from now, replacing an earlier one. */
  set(key: string, backendId: string, ttlMs: number): unknown
  /** Forgets, if there is anything to forget. */
  delete(key: string): unknown
}

/** Context for a shared store, from the learn policy that opens it. */
export interface StoreContext {
  /** The name of the pool. */
  readonly pool: string
  /** Distinguishes the learned sessions of one policy from those of another of the same pool, such as `cookie/JSESSIONID`. */
  readonly field: string
  /** One for each secret, newest first; at least one. The store writes the names of the first and finds those of all. */
  readonly names: readonly Pseudonyms[]
  /** How long a session lasts without a response in it, in milliseconds. */
  readonly ttlMs: number
  /** Milliseconds since the epoch, and even when the system's clock is set. */
  readonly now: () => number
}

/** A shared store that was opened for one policy. */
export interface OpenStore extends AffinityStore {
  /**
   * The session goes on at the backend that `get()` has named for its request. Must not undo a move that was made while
   * the request was in flight; a session that the store has lost is remembered again. Absent: `set()` is called.
   */
  renew?(key: string, backendId: string, ttlMs: number): unknown
  /** Live sessions of a backend, as far as the store can tell at once: of this process, or of all that share it. */
  count?(backendId: string): number | undefined
}

/**
 * A store that several gateways share and that hashes the ids of sessions itself, so that it may answer a known
 * session from its own memory. It gets each session id as it is, and must write the names of the context in its place.
 */
export interface SharedStore {
  /** Called once for each learn policy, and again when its pool is configured anew. */
  open(context: StoreContext): OpenStore
}
