/** Where in an entry's words its neighbours stand. */
export interface Links {
  readonly newer: number
  readonly older: number
}

/** Entries of a table of words, the last used first. 0 means none. An entry is in one list at a time. */
export class RecencyList {
  readonly #words: Uint32Array
  readonly #newer: number
  readonly #older: number
  #newest = 0
  #oldest = 0
  #size = 0

  constructor(words: Uint32Array, { newer, older }: Links) {
    this.#words = words
    this.#newer = newer
    this.#older = older
  }

  get newest(): number {
    return this.#newest
  }

  get oldest(): number {
    return this.#oldest
  }

  get size(): number {
    return this.#size
  }

  add(entry: number): void {
    const words = this.#words
    words[entry + this.#newer] = 0
    words[entry + this.#older] = this.#newest
    if (this.#newest === 0) this.#oldest = entry
    else words[this.#newest + this.#newer] = entry
    this.#newest = entry
    this.#size += 1
  }

  remove(entry: number): void {
    const words = this.#words
    const newer = words[entry + this.#newer] ?? 0
    const older = words[entry + this.#older] ?? 0
    if (newer === 0) this.#newest = older
    else words[newer + this.#older] = older
    if (older === 0) this.#oldest = newer
    else words[older + this.#newer] = newer
    this.#size -= 1
  }
}
