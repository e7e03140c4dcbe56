import { keyOf, type SessionChange } from './session-change.ts'

/** Changes that are kept at most; then the oldest is dropped for each new one, and is known to this process alone. */
const MAX_PENDING = 10_000

/**
 * The changes of one process that its parent has yet to take. The sequence in which the parent takes changes is
 * the sequence for all processes. So a change of another process that arrives meanwhile is the older one.
 */
export class Unconfirmed {
  readonly #pending = new Map<number, SessionChange>()
  /** The number of the batch of each change that was sent and is no renewal, oldest first. */
  readonly #sent = new Map<number, number>()
  #number = 0
  #taken = 0

  get isEmpty(): boolean {
    return this.#pending.size === 0
  }

  /** Batches that the parent has yet to take. */
  get inFlight(): number {
    return this.#number - this.#taken
  }

  put(change: SessionChange): void {
    const key = keyOf(change)
    // A renewal of a session that has just moved must not let the move wait for less.
    const isRenewal = change.isRenewal && this.#pending.get(key)?.isRenewal !== false
    this.#pending.delete(key)
    this.#pending.set(key, isRenewal ? change : { ...change, isRenewal })
    if (this.#pending.size <= MAX_PENDING) return
    const [oldest] = this.#pending.keys()
    if (oldest !== undefined) this.#pending.delete(oldest)
  }

  /** All changes that were not sent, and the number of their batch. */
  take(): { readonly number: number; readonly changes: readonly SessionChange[] } {
    this.#number += 1
    const changes = [...this.#pending.values()]
    for (const [key, { isRenewal }] of this.#pending) {
      if (isRenewal) continue
      this.#sent.delete(key)
      this.#sent.set(key, this.#number)
    }
    this.#pending.clear()
    return { number: this.#number, changes }
  }

  /** The parent has taken all batches up to this one. */
  taken(number: number): void {
    this.#taken = Math.max(this.#taken, number)
    for (const [key, sent] of this.#sent) {
      if (sent > number) return
      this.#sent.delete(key)
    }
  }

  /** Whether a change of ours is newer than all changes that the parent has sent. */
  overrides(change: SessionChange): boolean {
    const key = keyOf(change)
    return this.#sent.has(key) || this.#pending.get(key)?.isRenewal === false
  }
}
