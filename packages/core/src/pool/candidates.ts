import type { BackendView } from './backend-view.ts'
import type { Member } from './member.ts'

/**
 * Backends that may take a new session. The list is replaced on every change and never edited,
 * so balancers may cache by its identity.
 */
export type Candidates = readonly BackendView[]

/** Primaries, else backups, else draining backends: a new session is better off at a draining one than with a 503. */
export function chooseCandidates(backends: Candidates): Candidates {
  const able = backends.filter(view => view.isUsable && view.weight > 0)
  const ready = able.filter(isReady)
  const primaries = ready.filter(view => !view.backup)
  return [primaries, ready].find(list => list.length > 0) ?? able
}

function isReady({ state, selfDraining }: BackendView): boolean {
  return state === 'ready' && !selfDraining
}

/** The candidates of a pool, made anew when something has changed, if only the time. */
export class CandidateLists {
  readonly #now: () => number
  #candidates: Candidates | undefined
  #backupCandidates: Candidates = []
  #madeAtMs = 0
  /** When they change by time alone. */
  #dueMs = Infinity

  constructor(now: () => number) {
    this.#now = now
  }

  stale(): void {
    this.#candidates = undefined
  }

  candidates(members: readonly Member[]): Candidates {
    if (this.#candidates !== undefined && (this.#dueMs === Infinity || this.#isBeforeDue()))
      return this.#candidates
    const nowMs = this.#now()
    this.#madeAtMs = nowMs
    this.#dueMs = members.reduce((due, member) => Math.min(due, member.refresh(nowMs)), Infinity)
    const candidates = chooseCandidates(members)
    const backups = members.filter(member => member.backup && !candidates.includes(member))
    this.#backupCandidates = backups.length === 0 ? [] : chooseCandidates(backups).filter(isReady)
    this.#candidates = candidates
    return candidates
  }

  /** Backups for requests that the candidates have no room for. */
  backupCandidates(members: readonly Member[]): Candidates {
    this.candidates(members)
    return this.#backupCandidates
  }

  /** Until they change by time alone; Infinity: they do not. */
  dueInMs(members: readonly Member[]): number {
    this.candidates(members)
    return this.#dueMs - this.#now()
  }

  /** A clock that is set back makes them anew. */
  #isBeforeDue(): boolean {
    const nowMs = this.#now()
    return nowMs >= this.#madeAtMs && nowMs < this.#dueMs
  }
}
