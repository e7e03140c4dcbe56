/**
 * Where a policy remembers which backend a session is tied to. Any client of a shared memory fits by its shape; what
 * it returns may be a promise, and what it fails with is published and costs a session its backend at most.
 */
export interface AffinityStore {
  /** The id of the backend; undefined or null for a key that is not known, or not any more. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>
  /** Remembers the backend for this long from now, in the place of what it knew. */
  set(key: string, backendId: string, ttlMs: number): unknown
  /** Forgets, if there is anything to forget. */
  delete(key: string): unknown
}
