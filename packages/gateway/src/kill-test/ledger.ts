/** Values that are remembered of one session; the oldest are forgotten first. */
const MAX_VALUES = 10_000

/** The values that one session has written, and must find again. */
export class Ledger {
  /** By value: whether it has been read back. */
  #written = new Map<string, boolean>()
  #count: number | undefined

  /** The application has confirmed a value. */
  wrote(value: string): void {
    this.#written.set(value, false)
    const [oldest] = this.#written.size > MAX_VALUES ? this.#written.keys() : []
    if (oldest !== undefined) this.#written.delete(oldest)
  }

  /**
   * Compares what is there with what was written. A lost value is told once: it is forgotten here.
   * @returns how many values are lost
   */
  read(values: readonly string[]): number {
    const present = new Set(values)
    const before = this.#written.size
    const kept = [...this.#written.keys()].filter(value => present.has(value))
    this.#written = new Map(kept.map(value => [value, true]))
    return before - kept.length
  }

  /**
   * Compares a number, which the step has just increased, with the one before.
   * @returns how many increments are lost
   */
  counted(count: number): number {
    const expected = (this.#count ?? count - 1) + 1
    this.#count = count
    return Math.max(0, expected - count)
  }

  /** Confirmed values that no step has read since. */
  get unread(): number {
    return [...this.#written.values()].filter(isRead => !isRead).length
  }
}
