/**
 * Where a policy remembers which backend a session is tied to. Any client of a shared memory fits by its shape; what
 * it returns may be a promise.
 */
export interface AffinityStore {
  /** The id of the backend; undefined for a key that is not known, or not any more. */
  get(key: string): string | undefined | Promise<string | undefined>
  /** Remembers the backend for this long from now. */
  set(key: string, backendId: string, ttlMs: number): unknown
  /** Forgets. */
  delete(key: string): unknown
}
