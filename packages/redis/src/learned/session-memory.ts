import { MemoryStore, type MemoryStoreOptions } from '@limpet/core'

/** The share of a session's life that may pass before the shared store is written again. */
const RENEWED_AFTER = 0.1

/** Times without invalidation messages, one after the other, before the oldest sessions are verified again. */
const MAX_GENERATIONS = 4

/**
 * First level of the learned table: this process's memory of sessions. After a time without invalidation messages
 * all of it is unverified: it counts only when the shared store is unavailable or has no entry.
 */
export class SessionMemory {
  readonly #options: MemoryStoreOptions
  #verified: MemoryStore
  /** Newest first. */
  #unverified: readonly MemoryStore[] = []

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#verified = new MemoryStore(options)
  }

  get(sessionId: string): string | undefined {
    return this.#verified.get(sessionId)
  }

  unverified(sessionId: string): string | undefined {
    for (const generation of this.#unverified) {
      const backendId = generation.get(sessionId)
      if (backendId !== undefined) return backendId
    }
    return undefined
  }

  /** The shared store has said so. */
  verify(sessionId: string, backendId: string, leftMs: number): void {
    this.#verified.set(sessionId, backendId, leftMs)
    this.#forgetUnverified(sessionId)
  }

  /** A response in the session. Returns `kept` when the shared store knows it already. */
  update(sessionId: string, backendId: string, ttlMs: number): 'kept' | 'renewed' | 'news' {
    const change = this.#verified.update(sessionId, backendId, ttlMs, ttlMs * (1 - RENEWED_AFTER))
    if (change === 'news') this.#forgetUnverified(sessionId)
    return change
  }

  /** The shared store has lost it: the next response in the session is news again. */
  forget(sessionId: string): void {
    this.#verified.delete(sessionId)
  }

  delete(sessionId: string): void {
    this.#verified.delete(sessionId)
    this.#forgetUnverified(sessionId)
  }

  /** Another gateway has changed the session of this hash. */
  deleteHash(low: number, high: number): void {
    this.#verified.deleteHash(low, high)
    for (const generation of this.#unverified) generation.deleteHash(low, high)
  }

  /** Invalidation messages may have been missed. */
  doubt(): void {
    if (this.#verified.size === 0) return
    this.#unverified = [this.#verified, ...this.#unverified].slice(0, MAX_GENERATIONS)
    this.#verified = new MemoryStore(this.#options)
  }

  count(backendId: string): number {
    return this.#unverified.reduce(
      (sum, generation) => sum + generation.count(backendId),
      this.#verified.count(backendId),
    )
  }

  #forgetUnverified(sessionId: string): void {
    for (const generation of this.#unverified) generation.delete(sessionId)
  }
}
