import { type BackendView, hasRoom } from '../pool/backend-view.ts'
import type { LivePool } from '../pool/live-pool.ts'
import type { BackendExplanation, Obstacle } from './explanation.ts'

/** Why no request at all may go to `view`; undefined: one may. */
function unusable(view: BackendView): Obstacle | undefined {
  if (view.state === 'maint') return 'maint'
  if (view.isUsable) return undefined
  return view.checked === false || view.discovered?.healthy === false ? 'down' : 'ejected'
}

/**
 * Why a session does not get the backend that its key names; undefined: it may.
 * @param sessionId as of its claim
 */
export function keptFrom(
  pool: LivePool,
  id: string,
  sessionId: string | undefined,
  returnFromBackup: boolean,
): Obstacle | undefined {
  const view = pool.find(id)
  if (view === undefined) return 'removed'
  const obstacle = unusable(view)
  if (obstacle !== undefined) return obstacle
  if (!view.keeps(sessionId)) return 'left'
  if (!hasRoom(view)) return 'full'
  const isReturning = returnFromBackup && view.backup
  return isReturning && pool.candidates.some(other => !other.backup && hasRoom(other)) ? 'backup' : undefined
}

/** Each backend of the pool, as a request without a session sees it. */
export function explainBackends(pool: LivePool): readonly BackendExplanation[] {
  const candidates = new Set([...pool.candidates, ...pool.backupCandidates])
  const hasPrimaries = pool.candidates.some(hasRoom)
  return pool.backends.map(view => {
    const { id } = view.backend
    const obstacle = newSessionObstacle(view, candidates, hasPrimaries && !pool.candidates.includes(view))
    return obstacle === undefined ? { id, candidate: true } : { id, candidate: false, obstacle }
  })
}

function newSessionObstacle(
  view: BackendView,
  candidates: ReadonlySet<BackendView>,
  isSpare: boolean,
): Obstacle | undefined {
  const obstacle = unusable(view)
  if (obstacle !== undefined) return obstacle
  if (view.weight === 0) return 'weight-0'
  if (!candidates.has(view)) {
    if (view.state === 'drain') return 'drain'
    return view.selfDraining ? 'self-drain' : 'backup'
  }
  if (isSpare) return 'backup'
  return hasRoom(view) ? undefined : 'full'
}
