/** How many times as long as a report took the next one is put off. */
const REST = 4

/**
 * Makes reports at once, and never more than a fifth of the time: when events come faster than 10,000 endpoints can be
 * reported, several of them are one report.
 */
export class Pace {
  readonly #report: () => void
  #timer: NodeJS.Timeout | undefined
  #restUntilMs = 0
  #isClosed = false

  constructor(report: () => void) {
    this.#report = report
  }

  /** After the events that are here already. */
  soon(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => this.now(), Math.max(0, this.#restUntilMs - performance.now())).unref()
  }

  now(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const startedMs = performance.now()
    this.#report()
    const endedMs = performance.now()
    this.#restUntilMs = endedMs + REST * (endedMs - startedMs)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }
}
