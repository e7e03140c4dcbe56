import type { Hold } from './backend-view.ts'
import type { BackendCounts } from '../counts/backend-counts.ts'
import type { Failure } from '../failure.ts'
import type { WaitingRequests } from './waiting-requests.ts'
import type { OutlierDetection } from './outlier-detection.ts'

/** A backend that requests have taken out, as its trial sees it. */
export interface TriedMember extends Hold {
  respondedTo(statusCode: number, isTrial: boolean): void
  blameFor(isTrial: boolean): void
  /** Its candidates are outdated: it may be tried, or may no longer be. */
  stale(): void
  postpone(): void
}

/** The one request that tries a backend which requests have taken out. As long as it lasts, no other is to try it. */
export class Trial implements Hold {
  readonly #member: TriedMember
  readonly #passive: OutlierDetection
  #isSilent = false

  constructor(member: TriedMember, passive: OutlierDetection) {
    this.#member = member
    this.#passive = passive
    passive.trial = this
    member.stale()
  }

  get counts(): BackendCounts {
    return this.#member.counts
  }

  get recalls(): Map<() => void, string | undefined> {
    return this.#member.recalls
  }

  get waiting(): WaitingRequests {
    return this.#member.waiting
  }

  isRecalled(sessionId: string | undefined): boolean {
    return this.#member.isRecalled(sessionId)
  }

  responded(statusCode: number): void {
    this.#member.respondedTo(statusCode, this.#isTrial)
  }

  failed(failure: Failure): void {
    const member = this.#member
    if (!this.#isTrial) {
      member.failed(failure)
      return
    }
    member.counts.failed(failure.kind)
    this.#isSilent = failure.kind !== 'unreached'
    // The fault is not attributed yet.
    if (this.#isSilent) member.postpone()
    else member.blameFor(true)
  }

  blame(): void {
    this.#member.blameFor(this.#isTrial || (this.#isSilent && this.#passive.isOut))
  }

  release(): void {
    // It leaves without a word.
    if (this.#isTrial) this.#passive.trial = undefined
    this.#member.stale()
    this.#member.release()
  }

  /** Another request may have tried it since. */
  get #isTrial(): boolean {
    return this.#passive.trial === this
  }
}
