import { isLocalError } from '../failure.ts'
import type { HealthSettings } from './health-options.ts'

/** Backends do not all need to be asked at one moment. */
const JITTER = 0.1

/** Dependencies of a check: its probe, its settings and the listeners to its results. */
export interface Checked {
  probe(signal: AbortSignal): Promise<void>
  /** A probe has ended. @param problem why it failed; undefined: it did not */
  seen(problem: string | undefined, durationMs: number): void
  /** It was up, and is down. */
  fallen(problem: string | undefined): void
  /** It was down, and has responded as often as it must: `rise` is due. */
  proven(): void
  risen(): void
}

/** How the checks of a backend begin. */
export interface CheckStart {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Whether it is up, where that is known. */
  readonly known: boolean | undefined
  /** Results in a row that contradict `known`, which another process has seen. */
  readonly against: number
  /** The time to the first check, in milliseconds. */
  readonly firstMs: number
}

/** A timer that is late by more than this share of the timeout shows that this process was starved. */
const STARVED_SHARE = 0.1

/** Timers are that late on an idle machine, too. */
const TIMER_MS = 5

/** The timeout is measured in this many parts: one timer would not show a stall in the middle. */
const SLICES = 5

/** As many late slices are given again, and twice as many with each starved check in a row, so many times at most. */
const MAX_DOUBLINGS = 3

/** The check has found out nothing. It is made again after the interval. */
const NO_VERDICT = Symbol('no verdict')

/** The reason of a failure; undefined: success. */
type Verdict = string | undefined | typeof NO_VERDICT

/** The checks of one backend. */
export class HealthCheck {
  readonly #settings: HealthSettings
  readonly #random: () => number
  readonly #checked: Checked
  #isUp: boolean
  /** Nothing is known of it yet: the first success is enough. */
  #isNew: boolean
  /** Results in a row that contradict the current state. */
  #against: number
  /** Checks in a row that gave no verdict because this process was starved. */
  #starved = 0
  #timer: NodeJS.Timeout | undefined
  #probing: { readonly controller: AbortController; readonly problem: Promise<Verdict> } | undefined
  #isClosed = false

  constructor(settings: HealthSettings, { random, known, against, firstMs }: CheckStart, checked: Checked) {
    this.#settings = settings
    this.#random = random
    this.#checked = checked
    this.#isUp = known ?? settings.isUpAtFirst
    this.#isNew = known === undefined && !settings.isUpAtFirst
    this.#against = against
    this.#schedule(firstMs)
  }

  get against(): number {
    return this.#against
  }

  /** Whether it is well by the probe that is under way, or by one that is made at once. */
  async isWellNow(): Promise<boolean> {
    if (this.#probing === undefined) {
      clearTimeout(this.#timer)
      void this.#check()
    }
    const probing = this.#probing
    return probing !== undefined && (await probing.problem) === undefined && !this.#isClosed
  }

  /** It is up, unless it has failed since it was proven. */
  rise(): void {
    if (this.#isUp || this.#isClosed || this.#against === 0) return
    this.#become(true)
    this.#checked.risen()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#probing?.controller.abort()
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#check(), delayMs).unref()
  }

  async #check(): Promise<void> {
    const controller = new AbortController()
    const startedMs = performance.now()
    this.#probing = { controller, problem: this.#ask(controller) }
    const problem = await this.#probing.problem
    const durationMs = performance.now() - startedMs
    this.#probing = undefined
    if (this.#isClosed) return
    const jitter = 1 + JITTER * (2 * this.#random() - 1)
    this.#schedule(Math.max(0, this.#settings.intervalMs * jitter - durationMs))
    if (problem === NO_VERDICT) return
    this.#against = (problem === undefined) === this.#isUp ? 0 : this.#against + 1
    this.#checked.seen(problem, durationMs)
    this.#note(problem)
  }

  /**
   * Resolves with the reason of a failure, undefined for success, or NO_VERDICT when this process is at fault: it has
   * no descriptor for the probe, or had no time to read its response. A probe that does not settle is abandoned. A
   * process that is starved all the time has to find a dead backend, too: of the second starved check in a row, a
   * timeout counts that consisted of slices in time alone.
   */
  async #ask(controller: AbortController): Promise<Verdict> {
    const { timeoutMs } = this.#settings
    const { promise: late, reject } = Promise.withResolvers<never>()
    const sliceMs = timeoutMs / SLICES
    let [left, again] = [SLICES, SLICES * 2 ** Math.min(this.#starved, MAX_DOUBLINGS)]
    let [wasStarved, hadItsTime] = [false, true]
    let timer: NodeJS.Timeout | undefined
    function expire(): void {
      reject(new Error(`no response within ${timeoutMs} ms`))
      controller.abort()
    }
    // While this process was stalled, no response was read: otherwise it would find all backends down at once. So a slice
    // in which it was stalled is given again.
    function watch(): void {
      const dueMs = performance.now() + sliceMs
      timer = setTimeout(() => {
        const isLate = performance.now() - dueMs > Math.max(TIMER_MS, timeoutMs * STARVED_SHARE)
        wasStarved ||= isLate
        if (isLate && again > 0) again -= 1
        else {
          hadItsTime &&= !isLate
          left -= 1
        }
        if (left > 0) watch()
        else expire()
      }, sliceMs).unref()
    }
    watch()
    try {
      await Promise.race([this.#checked.probe(controller.signal), late])
      this.#starved = 0
      return undefined
    } catch (error) {
      if (isLocalError(error)) return NO_VERDICT
      if (wasStarved && controller.signal.aborted) {
        this.#starved += 1
        if (this.#starved === 1 || !hadItsTime) return NO_VERDICT
      } else this.#starved = 0
      return error instanceof Error ? error.message : String(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** @param problem undefined: it is well */
  #note(problem: string | undefined): void {
    const { fall, rise } = this.#settings
    if (this.#isUp) {
      if (this.#against < fall) return
      this.#become(false)
      this.#checked.fallen(problem)
    } else if (this.#against >= (this.#isNew ? 1 : rise)) {
      this.#checked.proven()
    }
  }

  #become(isUp: boolean): void {
    this.#isUp = isUp
    this.#isNew = false
    this.#against = 0
  }
}
