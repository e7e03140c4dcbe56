import * as diagnostics from '../diagnostics.ts'
import type { MoveReason } from '../counts/backend-counts.ts'
import type { DrainResult } from './drain.ts'
import type { BackendView } from './backend-view.ts'

/** The cause of a change of health. */
export type HealthWitness = diagnostics.HealthChangedEvent['by']

/** Publishes the changes of a pool to the diagnostics channels. */
export class PoolEvents {
  readonly #pool: string

  constructor(pool: string) {
    this.#pool = pool
  }

  healthChanged({ backend, healthy }: BackendView, by: HealthWitness, reason?: string): void {
    if (diagnostics.healthChanged.hasSubscribers)
      diagnostics.healthChanged.publish({ pool: this.#pool, backend: backend.id, healthy, by, reason })
  }

  sessionMoved(from: string, to: string, reason: MoveReason): void {
    if (diagnostics.sessionMoved.hasSubscribers)
      diagnostics.sessionMoved.publish({ pool: this.#pool, backend: to, from, reason })
  }

  stateChanged({ backend, state }: BackendView): void {
    if (diagnostics.stateChanged.hasSubscribers)
      diagnostics.stateChanged.publish({ pool: this.#pool, backend: backend.id, state, by: 'command' })
  }

  selfDraining({ backend, state, selfDraining }: BackendView): void {
    if (!diagnostics.stateChanged.hasSubscribers) return
    const now = selfDraining && state === 'ready' ? 'drain' : state
    diagnostics.stateChanged.publish({ pool: this.#pool, backend: backend.id, state: now, by: 'backend' })
  }

  membersChanged(before: readonly BackendView[], now: readonly BackendView[]): void {
    if (!diagnostics.membersChanged.hasSubscribers) return
    const [left, come] = differing(before, now)
    const added = idsBut(come, left)
    const removed = idsBut(left, come)
    if (added.length + removed.length > 0)
      diagnostics.membersChanged.publish({ pool: this.#pool, added, removed })
  }

  drained({ backend }: BackendView, result: DrainResult): void {
    if (diagnostics.drained.hasSubscribers)
      diagnostics.drained.publish({ pool: this.#pool, backend: backend.id, ...result })
  }
}

/** Both lists without the members that they begin and end with in common: of thousands one has changed, as a rule. */
function differing(
  before: readonly BackendView[],
  now: readonly BackendView[],
): readonly [readonly BackendView[], readonly BackendView[]] {
  const shorter = Math.min(before.length, now.length)
  let start = 0
  while (start < shorter && before[start] === now[start]) start += 1
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === now.at(-1 - end)) end += 1
  return [before.slice(start, before.length - end), now.slice(start, now.length - end)]
}

function idsBut(views: readonly BackendView[], others: readonly BackendView[]): string[] {
  const known = new Set(others)
  return views.filter(view => !known.has(view)).map(({ backend }) => backend.id)
}
