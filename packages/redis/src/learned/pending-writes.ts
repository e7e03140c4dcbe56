/** The new value of a key; without a tag the key is deleted. */
export interface Write {
  readonly tag: string | undefined
  readonly backendId: string | undefined
  /**
   * Milliseconds since the epoch by the clock of this process; then the session is over. For a deleted key, when a
   * session of that moment would be over: of two writes the one with more time left is the newer.
   */
  readonly untilMs: number
  /** `NX`: only where the key has no value. */
  readonly condition?: 'NX' | undefined
  /** The session goes on where it was: the write must not undo a change that another gateway has made. */
  readonly isRenewal?: boolean
}

/** A write on its way to the store. */
export interface Pending extends Write {
  /** The store could not be asked when it was made, so another gateway may have written since. */
  isLate: boolean
  /** It was sent, and neither taken nor refused in time: the store may have it. */
  isUnsure: boolean
}

/** Writes that the store has yet to take: one for each key, the newest, and no more than `max`. */
export class PendingWrites {
  readonly #writes = new Map<string, Pending>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#writes.size
  }

  get(key: string): Pending | undefined {
    return this.#writes.get(key)
  }

  /** Takes the place of an older write to the key. When there are too many the oldest is dropped. */
  put(key: string, write: Pending): void {
    this.#writes.delete(key)
    this.#writes.set(key, write)
    if (this.#writes.size <= this.#max) return
    const [oldest] = this.#writes.keys()
    if (oldest !== undefined) this.#writes.delete(oldest)
  }

  /** Takes out the oldest, `count` at most. */
  take(count: number): readonly (readonly [key: string, write: Pending])[] {
    const taken = [...this.#writes.entries().take(count)]
    for (const [key] of taken) this.#writes.delete(key)
    return taken
  }

  /** The store has not taken it. A newer write to the key counts, and so does the limit. */
  putBack(key: string, write: Pending): void {
    if (!this.#writes.has(key) && this.#writes.size < this.#max) this.#writes.set(key, write)
  }

  /**
   * Another gateway has changed the key. Takes out a write that the store may have already. A renewal is made only
   * where the change has left no value, as when the entry has expired.
   */
  overtaken(key: string): void {
    const write = this.#writes.get(key)
    if (write?.isUnsure === true) this.#writes.delete(key)
    else if (write?.isRenewal === true) this.#writes.set(key, { ...write, condition: 'NX' })
  }
}
