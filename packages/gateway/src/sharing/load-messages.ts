/** Requests in flight at one backend: of the worker that sends it, or of all workers but the one that gets it. */
export interface BackendLoad {
  readonly pool: string
  readonly id: string
  readonly inFlight: number
}

/** Those that have changed, from a worker to its parent or back. */
export type Loads = readonly BackendLoad[]
