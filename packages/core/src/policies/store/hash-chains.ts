import { HIGH, LOW, NEXT } from './session-words.ts'

/** Finds entries of a table of words by hashes of 64 bits. 0 means none. */
export class HashChains {
  readonly #words: Uint32Array
  /** The first entry of each value of the hash's last bits; the others follow by NEXT. */
  readonly #buckets: Uint32Array

  constructor(words: Uint32Array, maxEntries: number) {
    this.#words = words
    this.#buckets = new Uint32Array(2 ** Math.ceil(Math.log2(maxEntries + 1)))
  }

  find(low: number, high: number): number {
    const words = this.#words
    let entry = this.#buckets[low & (this.#buckets.length - 1)] ?? 0
    while (entry !== 0 && (words[entry + LOW] !== low || words[entry + HIGH] !== high))
      entry = words[entry + NEXT] ?? 0
    return entry
  }

  /** Adds an entry that is in no chain. */
  add(entry: number, low: number, high: number): void {
    const bucket = low & (this.#buckets.length - 1)
    this.#words[entry + LOW] = low
    this.#words[entry + HIGH] = high
    this.#words[entry + NEXT] = this.#buckets[bucket] ?? 0
    this.#buckets[bucket] = entry
  }

  /** Removes an entry that was added. */
  remove(entry: number): void {
    const words = this.#words
    const bucket = (words[entry + LOW] ?? 0) & (this.#buckets.length - 1)
    const next = words[entry + NEXT] ?? 0
    let before = this.#buckets[bucket] ?? 0
    if (before === entry) {
      this.#buckets[bucket] = next
      return
    }
    while (words[before + NEXT] !== entry) before = words[before + NEXT] ?? 0
    words[before + NEXT] = next
  }
}
