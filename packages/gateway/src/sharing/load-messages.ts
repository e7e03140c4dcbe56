/**
 * In place of a pool's name: client connections. Their ids are addresses, and the empty one for all of them; no pool has
 * an empty name.
 */
export const CONNECTIONS = ''

/** Requests in flight at one backend, or client connections: of the worker that sends it, or of all workers but the one that gets it. */
export interface BackendLoad {
  readonly pool: string
  readonly id: string
  readonly inFlight: number
}

/** Those that have changed, from a worker to its parent or back. */
export type Loads = readonly BackendLoad[]
