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
    const view = claim.kind === 'backend' ? pool.find(claim.id) : undefined
    if (view === undefined) continue
    if (view.state === 'maint') return 'drained'
    if (!view.isUsable) return 'failed'
    return hasRoom(view) ? 'rebalanced' : 'full'
  }
  return undefined
}
