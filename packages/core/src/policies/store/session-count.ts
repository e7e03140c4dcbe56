import { BACKEND, EXPIRES, WORDS } from './session-words.ts'

/** Up to so many entries are counted at once, which takes about a millisecond. */
const EXACTLY_COUNTED = 100_000
/** Of more entries one call for a count looks at so many. */
const COUNTED_AT_ONCE = 25_000

/** Counts the live sessions of each backend in a table of words, a part of a large table with each call. */
export class SessionCount {
  readonly #words: Uint32Array
  /** Live sessions of each backend, by its number, of the last complete count. */
  #counted: readonly number[] | undefined
  #counting: number[] = []
  /** The last entry that is counted. */
  #countedTo = 0
  /** When the last complete count was made, and after how many changes. */
  #countedTicks = -1
  #countedChanges = -1

  constructor(words: Uint32Array) {
    this.#words = words
  }

  /** Live sessions of a backend, by its number, of the last complete count. Undefined before the first. */
  of(backend: number): number | undefined {
    return this.#counted === undefined ? undefined : (this.#counted[backend] ?? 0)
  }

  /**
   * Counts on. Entries stand one behind the other in memory; by their lists each would cost a look at a far place.
   * @param last the entry that was first used last
   * @param elapsedTicks the present time, as of expiry
   * @param changes of the table so far
   */
  continue(last: number, elapsedTicks: number, changes: number): void {
    const words = this.#words
    const isExact = last <= EXACTLY_COUNTED * WORDS
    if (isExact) {
      // Statistics ask for one backend after the other.
      if (this.#countedTicks === elapsedTicks && this.#countedChanges === changes) return
      this.#start()
    }
    const end = isExact ? last : Math.min(last, this.#countedTo + COUNTED_AT_ONCE * WORDS)
    for (let entry = this.#countedTo + WORDS; entry <= end; entry += WORDS) {
      if ((words[entry + EXPIRES] ?? 0) <= elapsedTicks) continue
      const backend = words[entry + BACKEND] ?? 0
      this.#counting[backend] = (this.#counting[backend] ?? 0) + 1
    }
    this.#countedTo = end
    if (end < last) return
    this.#counted = this.#counting
    this.#countedTicks = elapsedTicks
    this.#countedChanges = changes
    this.#start()
  }

  #start(): void {
    this.#counting = []
    this.#countedTo = 0
  }
}
