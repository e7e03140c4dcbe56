import { BEAT_MS, type BackendCheck, backendKey, type ChecksFromWorker } from './check-messages.ts'
import { CheckOutbox, type CheckPeer } from './check-outbox.ts'

/** A worker that has not been heard of in so many looks is stalled. A look has BEAT_MS. */
const MAX_MISSED = 3

/**
 * The health checks of all workers, in their parent. It gives the checks of each pool to one of them, tells the others
 * the results, and gives the checks to another worker when that one ends or is stalled.
 */
export class ParentChecks {
  readonly #pools = new Map<string, PoolChecks>()
  /** Looks since each worker was heard of. */
  readonly #missed = new Map<CheckPeer, number>()

  constructor() {
    setInterval(() => this.#look(), BEAT_MS).unref()
  }

  receive(peer: CheckPeer, message: ChecksFromWorker): void {
    this.#missed.set(peer, 0)
    if (message.what === 'beat') return
    if (message.what === 'results') {
      this.#pools.get(message.pool)?.take(peer, message.results)
      return
    }
    let pool = this.#pools.get(message.pool)
    if (message.what === 'close') {
      if (pool === undefined) return
      this.#leave(pool, peer)
      // Where the workers have ended, their successors need its results.
      if (pool.isEmpty) this.#pools.delete(message.pool)
      return
    }
    if (pool === undefined) this.#pools.set(message.pool, (pool = new PoolChecks(message.pool)))
    pool.open(peer)
    this.#assign(pool)
    this.#level(pool, peer)
  }

  /** The worker has ended. */
  left(peer: CheckPeer): void {
    this.#missed.delete(peer)
    for (const pool of this.#pools.values()) this.#leave(pool, peer)
  }

  #leave(pool: PoolChecks, peer: CheckPeer): void {
    pool.left(peer)
    this.#assign(pool)
  }

  /** A parent that is stalled itself makes one look then, and reads all messages before the next. */
  #look(): void {
    for (const [peer, missed] of this.#missed) this.#missed.set(peer, missed + 1)
    for (const pool of this.#pools.values()) if (this.#isStalled(pool.holder)) this.#assign(pool)
  }

  #isStalled(peer: CheckPeer | undefined): boolean {
    return peer !== undefined && (this.#missed.get(peer) ?? 0) > MAX_MISSED
  }

  /** Gives the checks to the worker with the fewest pools, unless one has them that is not stalled. */
  #assign(pool: PoolChecks): void {
    if (pool.holder !== undefined && !this.#isStalled(pool.holder)) return
    const able = [...pool.peers].filter(peer => !this.#isStalled(peer))
    const counts = able.map(peer => this.#held(peer))
    const next = able[counts.indexOf(Math.min(...counts))]
    if (next !== undefined) pool.assign(next)
  }

  /** The first worker that starts has all pools until the others open them. */
  #level(pool: PoolChecks, peer: CheckPeer): void {
    if (pool.holder !== undefined && this.#held(pool.holder) > this.#held(peer) + 1) pool.assign(peer)
  }

  /** The pools whose checks the worker makes. */
  #held(peer: CheckPeer): number {
    return this.#pools.values().reduce((sum, { holder }) => sum + Number(holder === peer), 0)
  }
}

/** Those of one pool. */
class PoolChecks {
  readonly #name: string
  readonly #outboxes = new Map<CheckPeer, CheckOutbox>()
  readonly #known = new Map<string, BackendCheck>()
  /** The worker that makes the checks. */
  holder: CheckPeer | undefined

  constructor(name: string) {
    this.#name = name
  }

  /** No worker serves it. */
  get isEmpty(): boolean {
    return this.#outboxes.size === 0
  }

  get peers(): Iterable<CheckPeer> {
    return this.#outboxes.keys()
  }

  open(peer: CheckPeer): void {
    const outbox = new CheckOutbox(peer, this.#name)
    this.#outboxes.set(peer, outbox)
    for (const result of this.#known.values()) outbox.put(result)
    outbox.duty(false)
  }

  left(peer: CheckPeer): void {
    this.#outboxes.delete(peer)
    if (this.holder === peer) this.holder = undefined
  }

  assign(peer: CheckPeer): void {
    if (this.holder !== undefined) this.#outboxes.get(this.holder)?.duty(false)
    this.holder = peer
    this.#outboxes.get(peer)?.duty(true)
  }

  /** A worker that was stalled may not know yet that another has its checks. */
  take(from: CheckPeer, results: readonly BackendCheck[]): void {
    if (from !== this.holder) return
    for (const result of results) {
      if (result.isGone) this.#known.delete(backendKey(result))
      else this.#known.set(backendKey(result), result)
      for (const [peer, outbox] of this.#outboxes) if (peer !== from) outbox.put(result)
    }
  }
}
