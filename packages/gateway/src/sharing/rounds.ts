import type { Peer } from './outbox.ts'

/** A worker that takes longer is not waited for, and not asked again until it has replied. */
const ROUND_MS = 40

/**
 * Rounds in which every worker sends the changes that it holds back. A question waits for one, so that its
 * answer has the news of all responses from before it was asked. One round is under way at a time, and all questions
 * that come meanwhile share the next one: a client that makes ids up causes no more messages than that.
 */
export class Rounds {
  readonly #peers = new Set<Peer>()
  readonly #late = new Set<Peer>()
  readonly #waiting = new Set<Peer>()
  #number = 0
  #asking: readonly (() => void)[] = []
  #next: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  joined(peer: Peer): void {
    this.#peers.add(peer)
  }

  left(peer: Peer): void {
    this.#peers.delete(peer)
    this.#late.delete(peer)
    this.#done(peer)
  }

  /** Calls `answer` after the next round. */
  ask(answer: () => void): void {
    this.#next.push(answer)
    if (this.#timer === undefined) this.#begin()
  }

  passed(peer: Peer, round: number): void {
    this.#late.delete(peer)
    if (round === this.#number) this.#done(peer)
  }

  #begin(): void {
    this.#number += 1
    this.#asking = this.#next
    this.#next = []
    this.#timer = setTimeout(() => {
      for (const peer of this.#waiting) this.#late.add(peer)
      this.#waiting.clear()
      this.#end()
    }, ROUND_MS)
    for (const peer of this.#peers) if (!this.#late.has(peer)) this.#waiting.add(peer)
    for (const peer of this.#waiting) peer.send({ what: 'pass', round: this.#number })
    if (this.#waiting.size === 0) this.#end()
  }

  #done(peer: Peer): void {
    if (this.#waiting.delete(peer) && this.#waiting.size === 0) this.#end()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const answer of this.#asking) answer()
    this.#asking = []
    if (this.#next.length > 0) this.#begin()
  }
}
