import type { MoveReason } from '../counts/backend-counts.ts'
import type { Claim } from '../policies/policy.ts'
import { hasRoom } from '../pool/backend-view.ts'
import type { Pool } from '../pool/pool.ts'

/** Why the backend that `claims` name does not get the request of its session. Undefined: they name no member. */
export function moveReason(
  { pool }: { readonly pool: Pool },
  claims: readonly Claim[],
): MoveReason | undefined {
  for (const claim of claims) {
    if (claim.kind !== 'backend') continue
    const view = pool.find(claim.id)
    if (view === undefined) continue
    if (view.state === 'maint') return 'drained'
    if (!view.isUsable) return 'failed'
    if (!view.keeps(claim.sessionId)) return 'drained'
    return hasRoom(view) ? 'rebalanced' : 'full'
  }
  return undefined
}
