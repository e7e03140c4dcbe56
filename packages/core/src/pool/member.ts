import type { AdminState, Backend, BackendOptions, ParsedBackend } from './backend.ts'
import type { BackendView, Hold } from './backend-view.ts'
import type { Discovered } from './discovered.ts'
import { BackendCounts } from '../counts/backend-counts.ts'
import type { Failure } from '../failure.ts'
import { isDue, type Leaving, turnOf } from './leaving.ts'
import { OutlierDetection, type OutlierDetectionSettings } from './outlier-detection.ts'
import { Trial, type TriedMember } from './trial.ts'
import { WaitingRequests } from './waiting-requests.ts'
import { WarmUp } from './warm-up.ts'

/** State and callbacks that a pool shares with its members. */
export interface MemberContext {
  inFlight: number
  requests: number
  readonly now: () => number
  readonly slowStartMs: number
  /** Of a backend that has no limit of its own; 0: none. */
  readonly maxInFlight: number
  readonly passive: OutlierDetectionSettings | undefined
  /** Marks the candidates as outdated. */
  stale(): void
  /** Requests have taken `member` out, or brought it back. */
  healthChanged(member: Member): void
  /** Whether requests alone may take `member` out. */
  mayTakeOut(member: Member): boolean
  /** It has room for one more. */
  freed(member: Member): void
}

export class Member implements BackendView, TriedMember {
  readonly backend: Backend
  readonly counts: BackendCounts
  readonly recalls = new Map<() => void, string | undefined>()
  readonly waiting = new WaitingRequests()
  readonly #pool: MemberContext
  readonly passive: OutlierDetection | undefined
  readonly #warmUp: WarmUp
  /** @see BackendView.checked */
  checked: boolean | undefined
  /** @see BackendView.selfDraining */
  selfDraining = false
  /** @see BackendView.discovered */
  discovered: Discovered | undefined
  /** Its sessions move away, one after the other. */
  leaving: Leaving | undefined
  /** Sessions whose turn is before this were recalled: 0 is none, 1 all. */
  #recalledUntil = 0
  state: AdminState
  backup = false
  weight = 1
  effectiveWeight = 1
  /** Undefined: the pool's. */
  #ownMaxInFlight: number | undefined
  aliases: readonly string[] = []
  inFlight = 0
  /** @see BackendView.elsewhere */
  elsewhere = 0

  get tunnels(): number {
    return this.counts.tunnels
  }

  /** @param before the same backend in the pool that this one takes over from */
  constructor(options: ParsedBackend, pool: MemberContext, before?: Member) {
    const { id, url } = options
    this.backend = before?.backend ?? { id, url }
    this.#pool = pool
    this.counts = before?.counts ?? new BackendCounts(pool.now())
    this.passive =
      pool.passive === undefined ? undefined : new OutlierDetection(pool.passive, before?.passive)
    this.#warmUp = new WarmUp(pool, before === undefined ? undefined : before.#warmUp)
    this.state = options.state
    this.configure(options)
    this.discovered = before?.discovered
    if (before === undefined) this.#begin()
    else {
      this.checked = before.checked
      this.selfDraining = before.selfDraining
    }
  }

  /** Applies changed options. Counts and observed health stay. */
  configure({ weight, backup, maxInFlight, aliases }: ParsedBackend): void {
    this.aliases = aliases
    this.weight = weight
    this.backup = backup
    this.limit(maxInFlight)
  }

  /** @param maxInFlight undefined: the pool's default */
  limit(maxInFlight: number | undefined): void {
    this.#ownMaxInFlight = maxInFlight
  }

  get requests(): number {
    return this.counts.requests
  }

  get failures(): number {
    return this.counts.allFailures
  }

  get maxInFlight(): number {
    return this.#ownMaxInFlight ?? this.#pool.maxInFlight
  }

  /** Field by field: discovery asks it of thousands, and a spread costs ten times as much. */
  get options(): BackendOptions {
    const { id, url } = this.backend
    const { weight, backup, state, aliases } = this
    const maxInFlight = this.#ownMaxInFlight
    if (aliases.length > 0)
      return { id, url, weight, backup, state, aliases, ...(maxInFlight !== undefined && { maxInFlight }) }
    return maxInFlight === undefined
      ? { id, url, weight, backup, state }
      : { id, url, weight, backup, state, maxInFlight }
  }

  command(state: AdminState): void {
    if (state === 'maint' || this.state === 'maint') this.#warmUp.cool()
    this.state = state
    this.counts.changedAtMs = this.#pool.now()
    this.leaving = undefined
    this.#recalledUntil = 0
    this.#begin()
  }

  /**
   * Recalls requests that do not end by themselves, until another state is commanded.
   * @param until only those of the sessions whose turn is before that @default 1: all
   */
  recall(until = 1): void {
    this.#recalledUntil = until
    for (const [listener, sessionId] of this.recalls) {
      if (until < 1 && turnOf(sessionId) >= until) continue
      this.recalls.delete(listener)
      listener()
    }
  }

  isRecalled(sessionId: string | undefined): boolean {
    return this.#recalledUntil > 0 && turnOf(sessionId) < this.#recalledUntil
  }

  keeps(sessionId: string | undefined): boolean {
    return this.isUsable && (this.leaving === undefined || !isDue(this.leaving, sessionId, this.#pool.now()))
  }

  /** It was found down: requests that wait for its response had better go elsewhere, where that is safe. */
  foundDown(): void {
    this.waiting.foundDown()
  }

  get #isUp(): boolean {
    return this.checked !== false && this.discovered?.healthy !== false
  }

  get healthy(): boolean {
    return this.#isUp && this.passive?.isOut !== true
  }

  get isUsable(): boolean {
    if (this.state === 'maint' || !this.#isUp) return false
    return this.passive?.isOut !== true || this.passive.isTriable(this.#pool.now())
  }

  /** Records a health check's result. True when it changes `healthy`. */
  observe(isUp: boolean): boolean {
    const wasUp = this.#isUp
    this.checked = isUp
    return this.#turned(wasUp)
  }

  /** Records discovery's report. True when it changes `healthy`. */
  discover(said: Discovered | undefined): boolean {
    const wasUp = this.#isUp
    this.discovered = said
    return this.#turned(wasUp)
  }

  #turned(wasUp: boolean): boolean {
    const isUp = this.#isUp
    if (wasUp === isUp) return false
    if (isUp) {
      // It has proven itself from the ground up.
      if (this.passive?.isOut === true) this.passive.bringBack(this.#pool.now())
      else this.passive?.responded()
      this.#begin()
    } else {
      this.#warmUp.cool()
    }
    return true
  }

  /**
   * Brings its effective weight up to date.
   * @returns when something of it changes by time alone; Infinity: nothing does
   */
  refresh(nowMs: number): number {
    this.effectiveWeight = this.weight * this.#warmUp.share(nowMs)
    const nextStepMs = this.#warmUp.nextStepMs(nowMs)
    const triableAtMs = this.passive?.triableAtMs ?? Infinity
    return Math.min(nextStepMs, triableAtMs > nowMs ? triableAtMs : Infinity)
  }

  hold(): Hold {
    this.inFlight += 1
    this.counts.requests += 1
    this.#pool.inFlight += 1
    this.#pool.requests += 1
    return this.passive?.isOut === true ? new Trial(this, this.passive) : this
  }

  release(): void {
    this.inFlight -= 1
    this.#pool.inFlight -= 1
    this.#pool.freed(this)
  }

  responded(statusCode: number): void {
    this.respondedTo(statusCode, false)
  }

  failed({ kind, refused }: Failure): void {
    this.counts.failed(kind)
    // A failed response may be the request's fault; a failed connection cannot.
    if (kind === 'unreached') this.blameFor(false)
    if (refused === true && this.waiting.size > 0) this.foundDown()
  }

  blame(): void {
    this.blameFor(false)
  }

  /** @param isTrial whether the request was to find out whether it can return */
  respondedTo(statusCode: number, isTrial: boolean): void {
    const { passive } = this
    if (passive === undefined) return
    if (passive.isFailureStatus(statusCode)) {
      this.blameFor(isTrial)
    } else if (!passive.isOut) {
      passive.responded()
    } else if (passive.returned(this.#pool.now())) {
      this.#warmUp.cool()
      this.#begin()
      this.#pool.healthChanged(this)
    }
  }

  /** @param isTrial as of `respondedTo` */
  blameFor(isTrial: boolean): void {
    const { passive } = this
    if (passive === undefined) return
    const isEnough = passive.failed()
    if (!isTrial && !(isEnough && this.#pool.mayTakeOut(this))) return
    passive.takeOut(this.#pool.now())
    this.#pool.healthChanged(this)
  }

  /** It is in again, without having shown anything. */
  readmit(): void {
    this.passive?.readmit()
    this.#pool.healthChanged(this)
  }

  /** A trial had no verdict: it is tried again later. */
  postpone(): void {
    this.passive?.postpone(this.#pool.now())
  }

  stale(): void {
    this.#pool.stale()
  }

  /** It takes requests from now on, unless it is down or in maintenance. */
  #begin(): void {
    if (this.state !== 'maint' && this.#isUp) this.#warmUp.begin()
  }
}
