import type { Balancer } from '../balancers/balancer.ts'
import type { RequestHead } from '../head.ts'
import { type BackendView, hasRoom } from '../pool/backend-view.ts'
import type { LivePool } from '../pool/live-pool.ts'

/**
 * The backend for a request that no key has placed: one of the candidates with room, else of the backups.
 * @param tried backends that failed this request; then, when no other is left, a draining one may take it
 */
export function place(
  { pool, balancer }: { readonly pool: LivePool; readonly balancer: Balancer },
  request: RequestHead,
  tried: readonly BackendView[] = [],
): BackendView | undefined {
  const isFirst = tried.length === 0
  const { candidates } = pool
  if (isFirst) {
    const view = balancer.pick(candidates, request)
    if (view === undefined || hasRoom(view)) return view
  }
  const accepts = (view: BackendView): boolean => hasRoom(view) && !tried.includes(view)
  for (const list of [candidates, pool.backupCandidates]) {
    // A balancer that is asked in vain about another list would forget its position in this one.
    const view = list.some(accepts) ? balancer.pick(list, request, accepts) : undefined
    if (view !== undefined) return view
  }
  return isFirst ? undefined : balancer.pick(pool.candidatesBut(tried), request, hasRoom)
}
