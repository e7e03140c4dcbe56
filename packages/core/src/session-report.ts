import type { BackendCounts, MoveReason } from './counts/backend-counts.ts'
import type { SessionReport } from './policies/policy.ts'
import type { BackendView } from './pool/backend-view.ts'
import type { LivePool } from './pool/live-pool.ts'
import type { Decision } from './selection/decision.ts'

/** Takes a request's session into the figures, once, with the reason of its move. */
export class LeaseSession implements SessionReport {
  readonly #pool: LivePool
  readonly #decision: Decision
  readonly #view: BackendView
  readonly #counts: BackendCounts
  readonly #reason: MoveReason | undefined
  readonly #tried: readonly BackendView[] | undefined
  #isCounted = false

  /**
   * @param view the backend that responded
   * @param counts its counts
   * @param reason why the session's backend did not get the request, as it was at the decision
   * @param tried the backends that failed the request
   */
  constructor(
    pool: LivePool,
    decision: Decision,
    view: BackendView,
    counts: BackendCounts,
    reason: MoveReason | undefined,
    tried: readonly BackendView[] | undefined,
  ) {
    this.#pool = pool
    this.#decision = decision
    this.#view = view
    this.#counts = counts
    this.#reason = reason
    this.#tried = tried
  }

  /** A session whose key another policy has read goes on. */
  started(): void {
    if (this.#isCounted || this.#decision.status === 'matched') return
    this.#isCounted = true
    this.#counts.sessionsStarted += 1
  }

  moved(from: string | undefined): void {
    // Another policy's key had named this backend.
    const isHome = this.#decision.status === 'matched' && this.#decision.view === this.#view
    if (this.#isCounted || isHome) return
    this.#isCounted = true
    const to = this.#view.backend.id
    if (from === undefined || this.#pool.find(from) === undefined)
      this.#pool.countMove(from ?? '', to, 'removed')
    else this.#pool.countMove(from, to, this.#hasFailed(from) ? 'failed' : (this.#reason ?? 'failed'))
  }

  #hasFailed(id: string): boolean {
    return this.#tried?.some(({ backend }) => backend.id === id) === true
  }
}
