import { type Duration, durationMs } from '../options/duration.ts'
import { OptionError, optionInteger, optionList, optionObject } from '../options/option.ts'

/** How requests tell that a backend is sick. */
export interface OutlierDetectionOptions {
  /** Failures in a row until it is taken out. @default 3 */
  readonly fall?: number
  /** Out for this long, then it is tried again with one request at a time. Doubles when it fails again within a minute of its return, up to a minute. @default '10s' */
  readonly retryAfter?: Duration
  /** Statuses of answers that count as failures, too. @default [] */
  readonly statuses?: readonly number[]
}

/** The same, complete and checked. */
export interface OutlierDetectionSettings {
  readonly fall: number
  readonly retryAfterMs: number
  readonly statuses: ReadonlySet<number>
}

const KEYS: readonly string[] = ['fall', 'retryAfter', 'statuses'] satisfies (keyof OutlierDetectionOptions)[]

/** @throws OptionError naming the option, the value and the accepted values. */
export function parseOutlierDetection(path: string, value: unknown): OutlierDetectionSettings | undefined {
  if (value === undefined) return undefined
  const { fall, retryAfter, statuses = [] } = optionObject(path, value, KEYS)
  const takes = 'a list of statuses from 200 to 599'
  for (const status of optionList(`${path}.statuses`, statuses, takes)) {
    if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599)
      throw new OptionError(`${path}.statuses`, status, takes)
  }
  return {
    fall: optionInteger(`${path}.fall`, fall, 3, 1, 1000),
    retryAfterMs: durationMs(`${path}.retryAfter`, retryAfter, '10s'),
    statuses: new Set(statuses as readonly number[]),
  }
}

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
