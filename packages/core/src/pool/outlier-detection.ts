import { list } from '../options/composed-kinds.ts'
import { duration } from '../options/duration-kind.ts'
import { integer } from '../options/plain-kinds.ts'
import { compiled, type OptionKind } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, table } from '../options/option-table.ts'

/** How failed requests take their backend out: outlier detection, the option `passive`. */
const OUTLIER_DETECTION_OPTIONS = optionTable({
  /** Consecutive failures until the backend is taken out. @default 3 */
  fall: integer({ min: 1, max: 1000, default: 3 }),
  /** The time out; then one request at a time tries the backend. Doubles when it fails again within a minute of its return, up to a minute. @default '10s' */
  retryAfter: duration({ default: '10s' }),
  /** Statuses of responses that count as failures, too. @default [] */
  statuses: list(integer({ min: 200, max: 599 }), {
    takes: 'a list of statuses from 200 to 599',
    default: [],
  }),
})

export interface OutlierDetectionOptions extends OptionsOf<typeof OUTLIER_DETECTION_OPTIONS> {}

/** The same, complete and checked. */
export interface OutlierDetectionSettings {
  readonly fall: number
  readonly retryAfterMs: number
  readonly statuses: ReadonlySet<number>
}

/** Outlier detection as an option. */
export const OUTLIER_DETECTION: OptionKind<
  OutlierDetectionOptions,
  OutlierDetectionSettings | undefined,
  false
> = compiled(table(OUTLIER_DETECTION_OPTIONS), ({ retryAfter, statuses, fall }) => ({
  fall,
  retryAfterMs: retryAfter,
  statuses: new Set(statuses),
}))

/** One that fails again so soon after its return has not recovered; and the longest that one is out for that. */
const RELAPSE_MS = 60_000

/**
 * The results of one backend's requests. The backend is in; or out, after `fall` failures in a row; or on trial, after
 * its time out: one request at a time tests it (Envoy's outlier detection with growing times, nginx's `fail_timeout`).
 */
export class OutlierDetection {
  readonly #settings: OutlierDetectionSettings
  #failures = 0
  #outMs = 0
  #backAtMs = -Infinity
  /** When its time is over; undefined: it is in. */
  #untilMs: number | undefined
  /** The request that is finding out. */
  trial: object | undefined

  /** @param before results of the same backend under other settings */
  constructor(settings: OutlierDetectionSettings, before?: OutlierDetection) {
    this.#settings = settings
    if (before === undefined) return
    this.#failures = before.#failures
    this.#outMs = before.#outMs
    this.#backAtMs = before.#backAtMs
    this.#untilMs = before.#untilMs
  }

  get isOut(): boolean {
    return this.#untilMs !== undefined
  }

  /** Its last word was not a failure. */
  get isWell(): boolean {
    return this.#failures === 0
  }

  /** When it can be tried again; never, while it is in or is being tried. */
  get triableAtMs(): number {
    return this.trial === undefined ? (this.#untilMs ?? Infinity) : Infinity
  }

  isTriable(nowMs: number): boolean {
    return this.trial === undefined && this.#isOver(nowMs)
  }

  isFailureStatus(statusCode: number): boolean {
    return this.#settings.statuses.has(statusCode)
  }

  /** Whether it is to be taken out for that. */
  failed(): boolean {
    this.#failures += 1
    return !this.isOut && this.#failures >= this.#settings.fall
  }

  /** Out, or out again. */
  takeOut(nowMs: number): void {
    const { retryAfterMs } = this.#settings
    const isRelapse = this.isOut || nowMs - this.#backAtMs < RELAPSE_MS
    this.#outMs = isRelapse ? Math.max(retryAfterMs, Math.min(2 * this.#outMs, RELAPSE_MS)) : retryAfterMs
    this.#untilMs = nowMs + this.#outMs
    this.trial = undefined
  }

  /** Stays out for the same time again: its trial had no verdict. */
  postpone(nowMs: number): void {
    this.#untilMs = nowMs + this.#outMs
    this.trial = undefined
  }

  responded(): void {
    this.#failures = 0
  }

  /** Records a response of a backend that is out. Returns true when the response brings it back: one to a request from before the trial does not. */
  returned(nowMs: number): boolean {
    if (!this.#isOver(nowMs)) return false
    this.bringBack(nowMs)
    return true
  }

  /** In again, and well. */
  bringBack(nowMs: number): void {
    this.#failures = 0
    this.#backAtMs = nowMs
    this.readmit()
  }

  /** In again, and not the better for it. */
  readmit(): void {
    this.#untilMs = undefined
    this.trial = undefined
  }

  /** Whether it is out, and its time is over; a clock that is set back to before that began ends it. */
  #isOver(nowMs: number): boolean {
    const untilMs = this.#untilMs
    return untilMs !== undefined && (nowMs >= untilMs || nowMs < untilMs - this.#outMs)
  }
}
