import type { RequestHead } from '../head.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'

/** Picks the backend of a session that has none yet. It knows nothing of keys, cookies or sockets. */
export interface Balancer {
  readonly name: string
  /**
   * Returns one of `candidates` that `accepts` takes, or undefined when there is none. `accepts` is absent on a first
   * choice. It refuses backends that were tried for this request, and full ones.
   */
  pick(
    candidates: Candidates,
    request: RequestHead,
    accepts?: (view: BackendView) => boolean,
  ): BackendView | undefined
  /**
   * Returns the backend that `pick` would return next, and changes nothing. For explanations alone.
   * Absent: it cannot be known, as of a draw.
   */
  peek?(
    candidates: Candidates,
    request: RequestHead,
    accepts?: (view: BackendView) => boolean,
  ): BackendView | undefined
}
