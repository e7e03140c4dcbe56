/** The new value of a key; without a tag the key is deleted. */
export interface Write {
  readonly tag: string | undefined
  readonly backendId: string | undefined
  /** Milliseconds since the epoch by the clock of this process; then the session is over. */
  readonly untilMs: number
}

/** Writes that the store has yet to take: one for each key, the newest, and no more than `max`. */
export class PendingWrites {
  readonly #writes = new Map<string, Write>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#writes.size
  }

  get(key: string): Write | undefined {
    return this.#writes.get(key)
  }

  /** Takes the place of an older write to the key. When there are too many the oldest is dropped. */
  put(key: string, write: Write): void {
    this.#writes.delete(key)
    this.#writes.set(key, write)
    if (this.#writes.size <= this.#max) return
    const [oldest] = this.#writes.keys()
    if (oldest !== undefined) this.#writes.delete(oldest)
  }

  /** Takes out the oldest, `count` at most. */
  take(count: number): readonly (readonly [key: string, write: Write])[] {
    const taken = [...this.#writes.entries().take(count)]
    for (const [key] of taken) this.#writes.delete(key)
    return taken
  }

  /** The store has not taken it. A newer write to the key counts, and so does the limit. */
  putBack(key: string, write: Write): void {
    if (!this.#writes.has(key) && this.#writes.size < this.#max) this.#writes.set(key, write)
  }

  /** Takes this write out, unless a newer one has taken its place. */
  drop(key: string, write: Write): void {
    if (this.#writes.get(key) === write) this.#writes.delete(key)
  }
}
