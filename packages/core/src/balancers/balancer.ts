import type { RequestHead } from '../head.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'

/** Picks the backend of a session that has none yet. It knows nothing of keys, cookies or sockets. */
export interface Balancer {
  readonly name: string
  /**
   * One of `candidates` that `accepts` takes, or undefined when there is none.
   * `accepts` is absent on a first choice; it refuses whoever was tried, and whoever is full.
   */
  pick(
    candidates: Candidates,
    request: RequestHead,
    accepts?: (view: BackendView) => boolean,
  ): BackendView | undefined
}
