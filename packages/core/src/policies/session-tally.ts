/** Number of parts into which the longest life of a session is divided for counting. */
const PIECES = 32
/** With fewer backends it does not look for those whose last session has ended. */
const MIN_SWEPT = 8

/**
 * Counts live sessions by the time of their end, with a few numbers for each backend instead of one for each session.
 * A renewed key moves from one bucket to a later one, and a bucket whose time has passed is dropped.
 * It counts the keys that this process has written or renewed, so it knows nothing until it is as old as a key can get. Keys of clients that never return count to their end.
 */
export class SessionTally {
  readonly #pieceMs: number
  readonly #now: () => number
  /** From when on there is no key that another process has written and this one has not seen. */
  readonly #knownFromMs: number
  /** For each backend, the sessions that end in each piece of time. */
  readonly #endings = new Map<string, Map<number, number>>()
  /** The number of backends at which it looks for those whose last session has ended. */
  #sweptAt = MIN_SWEPT

  /** @param lifeMs how long a session may last from now, at most */
  constructor(lifeMs: number, now: () => number) {
    this.#pieceMs = Math.max(1, lifeMs / PIECES)
    this.#now = now
    this.#knownFromMs = now() + lifeMs
  }

  /** A session of `backendId` ends at `endMs`, unless it is renewed. */
  began(backendId: string, endMs: number): void {
    const endings = this.#endings.get(backendId) ?? this.#newEndings()
    const piece = this.#pieceOf(endMs)
    endings.set(piece, (endings.get(piece) ?? 0) + 1)
    // One more piece than there can be: the oldest are over.
    if (endings.size > PIECES + 2) this.#forgetEnded(endings)
    this.#endings.set(backendId, endings)
  }

  /**
   * Discovery brings new ids without end, so the ids whose last session has ended are dropped whenever there are twice
   * as many as were left the last time. Dropping them with each new id would take 10,000 backends 10,000 times as long.
   */
  #newEndings(): Map<number, number> {
    if (this.#endings.size >= this.#sweptAt) {
      for (const [id, endings] of this.#endings) {
        this.#forgetEnded(endings)
        if (endings.size === 0) this.#endings.delete(id)
      }
      this.#sweptAt = Math.max(MIN_SWEPT, 2 * this.#endings.size)
    }
    return new Map()
  }

  /** Backends that it remembers. */
  get size(): number {
    return this.#endings.size
  }

  /** It does not end then: it has moved, or was renewed. One that began before this process did is not known. */
  ended(backendId: string, endMs: number): void {
    const endings = this.#endings.get(backendId)
    const piece = this.#pieceOf(endMs)
    const count = endings?.get(piece) ?? 0
    if (count > 0) endings?.set(piece, count - 1)
  }

  /** Undefined while there may be keys from before this process, whose number is unknown. */
  count(backendId: string): number | undefined {
    return this.#now() < this.#knownFromMs ? undefined : this.seen(backendId)
  }

  /** Live sessions whose keys this process has written or renewed. */
  seen(backendId: string): number {
    const endings = this.#endings.get(backendId)
    if (endings === undefined) return 0
    this.#forgetEnded(endings)
    return endings.values().reduce((sum, count) => sum + count, 0)
  }

  #pieceOf(endMs: number): number {
    return Math.ceil(endMs / this.#pieceMs)
  }

  #forgetEnded(endings: Map<number, number>): void {
    const now = this.#now() / this.#pieceMs
    for (const piece of endings.keys()) if (piece <= now) endings.delete(piece)
  }
}
