/** Failures in a row that open the breaker. */
const MAX_FAILURES = 5
const MIN_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000
/** A breaker that opens again this soon after it closed pauses for longer than before. */
const SETTLED_MS = 10_000

export interface BreakerEvents {
  /** Asks the server once. The breaker closes when it resolves. */
  probe(): Promise<unknown>
  opened(error: unknown): void
  closed(): void
}

/**
 * Circuit breaker of one connection. Open: nothing is asked. After a pause of 1 s, doubling to 30 s, one probe decides
 * whether it closes; no request is the probe.
 */
export class Breaker {
  readonly #events: BreakerEvents
  #isOpen = false
  #failures = 0
  #pauseMs = MIN_PAUSE_MS
  #closedAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  /** Probes that failed since it opened. */
  failedProbes = 0

  constructor(events: BreakerEvents) {
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(error: unknown): void {
    this.#failures += 1
    if (this.#failures >= MAX_FAILURES) this.open(error)
  }

  open(error: unknown): void {
    if (this.#isOpen) return
    this.#isOpen = true
    const isRelapse = performance.now() - this.#closedAtMs < SETTLED_MS
    this.#pauseMs = isRelapse ? Math.min(2 * this.#pauseMs, MAX_PAUSE_MS) : MIN_PAUSE_MS
    this.#pause()
    this.#events.opened(error)
  }

  /** Back to the start, for a new connection. */
  reset(): void {
    clearTimeout(this.#timer)
    this.#isOpen = false
    this.#failures = 0
    this.failedProbes = 0
  }

  #pause(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#probe(), this.#pauseMs).unref()
  }

  async #probe(): Promise<void> {
    const timer = this.#timer
    try {
      await this.#events.probe()
    } catch {
      // A reset in the meantime has ended this pause.
      if (timer !== this.#timer || !this.#isOpen) return
      this.failedProbes += 1
      this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS)
      this.#pause()
      return
    }
    if (timer !== this.#timer || !this.#isOpen) return
    this.reset()
    this.#closedAtMs = performance.now()
    this.#events.closed()
  }
}
