import { integer, number } from '../options/plain-kinds.ts'
import type { OptionKind } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, type ParsedOptions, table } from '../options/option-table.ts'

/** How many requests may be made again. */
const RETRY_BUDGET_OPTIONS = optionTable({
  /** Retries for each request of the last ten seconds, 0 to 1. @default 0.2 */
  ratio: number({ min: 0, max: 1, default: 0.2 }),
  /** Retries in each second that are always allowed. @default 10 */
  minPerSecond: integer({ min: 0, max: 1_000_000, default: 10 }),
})

export interface RetryBudgetOptions extends OptionsOf<typeof RETRY_BUDGET_OPTIONS> {}

const WINDOW_MS = 10_000
/** Requests between two looks at the clock, at most. */
const MAX_UNTIMED = 64

/** The same, complete and checked. */
type RetryBudgetSettings = ParsedOptions<typeof RETRY_BUDGET_OPTIONS.options>

/** The budget as an option; absent, it has the defaults. */
export const RETRY_BUDGET: OptionKind<RetryBudgetOptions, RetryBudgetSettings, false> = table(
  RETRY_BUDGET_OPTIONS,
  {},
)

/**
 * Keeps an outage from multiplying traffic: a share of the requests that backends received may be retried (Finagle's and
 * Linkerd's retry budget, with their figures). Requests that no backend received cost nothing.
 *
 * Both sums fade over the window, and only now and then: most requests pay nothing for it.
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #floor: number
  readonly #now: () => number
  /** Those that were counted since the last look at the clock. */
  #requests = 0
  #recent = 0
  #retries = 0
  #fadedAtMs: number

  constructor({ ratio, minPerSecond }: RetryBudgetSettings, now: () => number) {
    this.#ratio = ratio
    this.#now = now
    this.#fadedAtMs = now()
    this.#floor = (minPerSecond * WINDOW_MS) / 1000
  }

  /** A request has been made. */
  count(): void {
    this.#requests += 1
    // Left to the next retry, which may be days away, the requests of a rush hour would be spread over those days.
    if (this.#requests >= MAX_UNTIMED) this.#fade()
  }

  /** Whether one more may be made; then it is counted. */
  take(): boolean {
    this.#fade()
    if (this.#retries + 1 > Math.max(this.#floor, this.#ratio * this.#recent)) return false
    this.#retries += 1
    return true
  }

  /** How many more may be made now. */
  get left(): number {
    this.#fade()
    return Math.max(0, Math.floor(Math.max(this.#floor, this.#ratio * this.#recent) - this.#retries))
  }

  #fade(): void {
    const nowMs = this.#now()
    const windows = Math.max(0, nowMs - this.#fadedAtMs) / WINDOW_MS
    const kept = Math.exp(-windows)
    // As if those since the last time had come evenly, each fading from its own moment on.
    const added = this.#requests * (windows > 0 ? (1 - kept) / windows : 1)
    this.#recent = this.#recent * kept + added
    this.#retries *= kept
    this.#requests = 0
    this.#fadedAtMs = nowMs
  }
}
