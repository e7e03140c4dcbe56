import { type KeyedHash, keyedHash } from '../../signing/keyed-hash.ts'
import { HashChains } from './hash-chains.ts'
import { Interned } from './interned.ts'
import { MEMORY_STORE_OPTIONS, type MemoryStoreOptions } from './memory-store-options.ts'
import { RecencyList } from './recency-list.ts'
import { SessionCount } from './session-count.ts'
import { BACKEND, EXPIRES, HIGH, LINKS, LOW, NEXT, PROTECTED, TICK_MS, WORDS } from './session-words.ts'
import type { AffinityStore } from './store.ts'

/** A session of a `MemoryStore`. */
export interface StoredSession {
  /** The hash of its key: 64 bits. */
  readonly low: number
  readonly high: number
  readonly backendId: string
  /** Milliseconds until it expires. */
  readonly leftMs: number
}

const MAX_TICKS = 2 ** 32 - 1
/** The share of entries that may be protected; the others are on probation. */
const PROTECTED_SHARE = 0.8

/**
 * Remembers sessions in this process: at most 40 bytes each, all in typed arrays of a fixed size, so that neither a
 * million sessions nor a flood of new ones gives the garbage collector anything to do. Every call takes the same time.
 *
 * A key is kept as a keyed hash of 64 bits: it can neither be read out nor aimed at, and of a million sessions an
 * unknown key matches one by chance once in 10^13 times.
 *
 * A session that was used after it began is protected, and others are evicted first (segmented LRU,
 * Karedla et al. 1994): a flood of new sessions evicts none that is in use.
 *
 * @throws OptionError with every problem
 */
export class MemoryStore implements AffinityStore {
  readonly #maxEntries: number
  readonly #now: () => number
  readonly #startMs: number
  readonly #hash: KeyedHash
  readonly #hashed = new Uint32Array(2)
  /** An entry is named by where its words begin. */
  readonly #words: Uint32Array
  readonly #chains: HashChains
  readonly #probation: RecencyList
  readonly #protected: RecencyList
  readonly #backends = new Interned()
  /** The first of the entries that were given back; the others follow by NEXT. */
  #free = 0
  /** The entry that was first used last. */
  #last = 0
  readonly #count: SessionCount
  /** Changes so far: after none a count stays as it is. */
  #changes = 0

  constructor(options: MemoryStoreOptions = {}) {
    const { maxEntries, now, hashKey } = MEMORY_STORE_OPTIONS.parse('', options)
    this.#maxEntries = maxEntries
    this.#now = now
    this.#hash = keyedHash(hashKey)
    this.#startMs = this.#now()
    // Untouched pages cost no memory, so all of it may be allocated at the start. Entry 0 means none.
    this.#words = new Uint32Array((this.#maxEntries + 1) * WORDS)
    this.#chains = new HashChains(this.#words, this.#maxEntries)
    this.#count = new SessionCount(this.#words)
    this.#probation = new RecencyList(this.#words, LINKS)
    this.#protected = new RecencyList(this.#words, LINKS)
  }

  get size(): number {
    return this.#probation.size + this.#protected.size
  }

  /**
   * Live sessions of a backend, for operators. Exact where up to 100,000 are remembered. With more, each call counts a
   * part of them, so that none takes longer than about a millisecond: the result is of the last complete count, and
   * before the first one it may include sessions that have expired.
   */
  count(backendId: string): number {
    const backend = this.#backends.numberOf(backendId)
    if (backend === undefined) return 0
    const elapsedTicks = Math.floor((this.#now() - this.#startMs) / TICK_MS)
    this.#count.continue(this.#last, elapsedTicks, this.#changes)
    return this.#count.of(backend) ?? this.#backends.holders(backend)
  }

  get(key: string): string | undefined {
    const entry = this.#used(this.#find(key))
    return entry === 0 ? undefined : this.#backends.text(this.#word(entry, BACKEND))
  }

  /** As `get()`, and does not count as a use. */
  peek(key: string): string | undefined {
    return this.#backendOf(this.#find(key))
  }

  /** The session of the key whose hash is `low` and `high`. As with `get()` it counts as used. */
  getHash(low: number, high: number): StoredSession | undefined {
    const entry = this.#used(this.#chains.find(low, high))
    return entry === 0 ? undefined : this.#session(entry)
  }

  /** The entry, which is used now; 0 when it has expired, or is none. */
  #used(entry: number): number {
    if (entry === 0) return 0
    if (this.#isExpired(entry)) {
      this.#remove(entry)
      return 0
    }
    this.#touch(entry)
    return entry
  }

  #session(entry: number): StoredSession {
    return {
      low: this.#word(entry, LOW),
      high: this.#word(entry, HIGH),
      backendId: this.#backends.text(this.#word(entry, BACKEND)),
      leftMs: this.#word(entry, EXPIRES) * TICK_MS - (this.#now() - this.#startMs),
    }
  }

  set(key: string, backendId: string, ttlMs: number): void {
    this.#put(this.#find(key), backendId, ttlMs)
  }

  /** As `set()`, of the key whose hash is `low` and `high`. */
  setHash(low: number, high: number, backendId: string, ttlMs: number): void {
    this.#hashed[0] = low
    this.#hashed[1] = high
    this.#put(this.#chains.find(low, high), backendId, ttlMs)
  }

  /** @param found the entry of the hash that was noted last, or 0 */
  #put(found: number, backendId: string, ttlMs: number): void {
    this.#changes += 1
    let entry = found
    if (entry === 0) {
      entry = this.#add()
      this.#words[entry + BACKEND] = this.#backends.hold(backendId)
    } else {
      this.#touch(entry)
      this.#move(entry, backendId)
    }
    const ticks = Math.ceil((this.#now() - this.#startMs + ttlMs) / TICK_MS)
    // A clock may be set back to before the start, and a word has no sign.
    this.#words[entry + EXPIRES] = Math.min(Math.max(0, ticks), MAX_TICKS)
  }

  /** As `set()`, unless the entry names another backend: the session has moved since its request was read. */
  renew(key: string, backendId: string, ttlMs: number): void {
    const entry = this.#find(key)
    const known = this.#backendOf(entry)
    if (known === undefined || known === backendId) this.#put(entry, backendId, ttlMs)
  }

  /**
   * Remembers the backend unless the entry is the same and has more than `enoughMs` left: such an entry need not be
   * written to a shared store again.
   * @returns `kept` when nothing was changed, `renewed` when only the end was, `news` for a new session or a move
   */
  update(key: string, backendId: string, ttlMs: number, enoughMs: number): 'kept' | 'renewed' | 'news' {
    const entry = this.#find(key)
    const isSame = this.#backendOf(entry) === backendId
    if (isSame && this.#word(entry, EXPIRES) * TICK_MS - (this.#now() - this.#startMs) > enoughMs)
      return 'kept'
    this.set(key, backendId, ttlMs)
    return isSame ? 'renewed' : 'news'
  }

  delete(key: string): void {
    const entry = this.#find(key)
    if (entry !== 0) this.#remove(entry)
  }

  /** Forgets the entry of a key whose hash is `low` and `high`. */
  deleteHash(low: number, high: number): void {
    const entry = this.#chains.find(low, high)
    if (entry !== 0) this.#remove(entry)
  }

  /** Writes the 64 bits into `out` by which a key is known. Stores with the same `hashKey` know it by the same. */
  hashOf(key: string, out: Uint32Array): void {
    this.#hash(key, out)
  }

  /**
   * The sessions that have not expired, in no order. Changes while it runs are allowed: an entry is read when it is
   * its turn, and an entry that is added meanwhile may be left out.
   */
  *entries(): Generator<StoredSession, void, undefined> {
    for (let entry = WORDS; entry <= this.#last; entry += WORDS) {
      // An entry that was removed ends at 0, also when the clock was set back.
      if (this.#word(entry, EXPIRES) > 0 && !this.#isExpired(entry)) yield this.#session(entry)
    }
  }

  #backendOf(entry: number): string | undefined {
    return entry === 0 || this.#isExpired(entry) ? undefined : this.#backends.text(this.#word(entry, BACKEND))
  }

  #move(entry: number, backendId: string): void {
    const before = this.#word(entry, BACKEND)
    // Most sessions stay where they are: two texts are compared sooner than one is looked up.
    if (this.#backends.text(before) === backendId) return
    this.#words[entry + BACKEND] = this.#backends.hold(backendId)
    this.#backends.release(before)
  }

  #word(entry: number, at: number): number {
    return this.#words[entry + at] ?? 0
  }

  /** The entry of `key`, or 0. Its hash is noted, for an entry that is to be added. */
  #find(key: string): number {
    const hashed = this.#hashed
    this.#hash(key, hashed)
    return this.#chains.find(hashed[0] ?? 0, hashed[1] ?? 0)
  }

  #isExpired(entry: number): boolean {
    return this.#now() - this.#startMs >= this.#word(entry, EXPIRES) * TICK_MS
  }

  /** It was asked for again, so it is in use. */
  #touch(entry: number): void {
    // One that was asked for a moment ago stands where it should.
    if (entry === this.#protected.newest) return
    this.#listOf(entry).remove(entry)
    this.#words[entry + PROTECTED] = 1
    this.#protected.add(entry)
    if (this.#protected.size <= this.#maxEntries * PROTECTED_SHARE) return
    const { oldest } = this.#protected
    this.#protected.remove(oldest)
    this.#words[oldest + PROTECTED] = 0
    this.#probation.add(oldest)
  }

  /** An entry for the hash that was noted last, on probation. */
  #add(): number {
    if (this.size === this.#maxEntries) this.#remove(this.#leastUseful())
    let entry = this.#free
    if (entry === 0) {
      this.#last += WORDS
      entry = this.#last
    } else {
      this.#free = this.#word(entry, NEXT)
    }
    const [low = 0, high = 0] = this.#hashed
    this.#words[entry + PROTECTED] = 0
    this.#chains.add(entry, low, high)
    this.#probation.add(entry)
    return entry
  }

  /** The oldest, if it has expired; or the least recently used of those used once; or of the protected. */
  #leastUseful(): number {
    const { oldest } = this.#protected
    return this.#probation.size === 0 || (oldest !== 0 && this.#isExpired(oldest))
      ? oldest
      : this.#probation.oldest
  }

  #remove(entry: number): void {
    this.#changes += 1
    this.#listOf(entry).remove(entry)
    this.#backends.release(this.#word(entry, BACKEND))
    this.#chains.remove(entry)
    // It is not to be counted.
    this.#words[entry + EXPIRES] = 0
    this.#words[entry + NEXT] = this.#free
    this.#free = entry
  }

  #listOf(entry: number): RecencyList {
    return this.#word(entry, PROTECTED) === 1 ? this.#protected : this.#probation
  }
}
