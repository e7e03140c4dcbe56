import type { KeyedHash } from '../signing/keyed-hash.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'

/** Number of slots that keys fall into: with 100 backends of one weight, their shares of the slots differ by 2 %. */
export const SLOTS = 2 ** 18

/**
 * Weighted rendezvous (Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005). Every backend draws a number
 * in (0, 1) for every slot, u, from its id alone; of a slot's backends the one with the least -ln(u) / weight wins.
 * So a backend that leaves gives up its own slots, and one that joins or gains weight wins slots for itself. No other
 * slot changes its winner. The order of the list and the past do not matter, so gateways agree without talking.
 *
 * A ring does the same in O(log n), but needs thousands of points for a backend to meet a weight as well.
 */
export class Rendezvous {
  readonly candidates: Candidates
  readonly weight: number
  /** By weight, so that the draws of one weight are compared as they are, and by id. */
  readonly #views: readonly BackendView[]
  readonly #weights: Float64Array
  /** The hash of each one's id. */
  readonly #low: Int32Array
  readonly #high: Int32Array
  /** For each slot the index of its winner, plus one; 0: not computed yet. */
  #winners: Uint16Array | Uint32Array | undefined

  constructor(candidates: Candidates, hash: KeyedHash) {
    this.candidates = candidates
    this.weight = candidates.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0)
    this.#views = candidates.toSorted(
      (a, b) => a.effectiveWeight - b.effectiveWeight || (a.backend.id < b.backend.id ? -1 : 1),
    )
    this.#weights = Float64Array.from(this.#views, view => view.effectiveWeight)
    this.#low = new Int32Array(candidates.length)
    this.#high = new Int32Array(candidates.length)
    const words = new Uint32Array(2)
    for (const [place, { backend }] of this.#views.entries()) {
      hash(backend.id, words)
      this.#low[place] = words[0] ?? 0
      this.#high[place] = words[1] ?? 0
    }
  }

  /** The winner of `slot`. O(n) the first time, O(1) afterwards. */
  winner(slot: number): BackendView | undefined {
    // The operating system allocates a page of it on first use.
    this.#winners ??= new (this.#views.length < 2 ** 16 ? Uint16Array : Uint32Array)(SLOTS)
    const known = this.#winners[slot] ?? 0
    if (known > 0) return this.#views[known - 1]
    const place = this.#find(slot, anyone)
    this.#winners[slot] = place + 1
    return this.#views[place]
  }

  /** The winner of `slot` among the backends that `accepts` takes. O(n). */
  winnerOf(slot: number, accepts: (view: BackendView) => boolean): BackendView | undefined {
    return this.#views[this.#find(slot, accepts)]
  }

  #find(slot: number, accepts: (view: BackendView) => boolean): number {
    const weights = this.#weights
    const low = this.#low
    const high = this.#high
    let winner = -1
    let least = Infinity
    for (let place = 0; place < weights.length;) {
      // Within one weight the greatest draw has the least logarithm, so one logarithm is taken for all of them.
      const weight = weights[place] ?? 0
      let greatest = -1
      let leader = -1
      for (; weights[place] === weight; place += 1) {
        const drawn = draw(slot, low[place] ?? 0, high[place] ?? 0)
        if (drawn > greatest && this.#accepts(place, accepts)) {
          greatest = drawn
          leader = place
        }
      }
      const score = leader < 0 ? Infinity : -Math.log((greatest + 0.5) / 2 ** 32) / weight
      if (score < least) {
        least = score
        winner = leader
      }
    }
    return winner
  }

  #accepts(place: number, accepts: (view: BackendView) => boolean): boolean {
    const view = this.#views[place]
    return view !== undefined && accepts(view)
  }
}

const anyone = (): boolean => true

/** 32 bits for a slot and a backend. Both are keyed hashes already: this mixes them, and keeps no secret. */
function draw(slot: number, low: number, high: number): number {
  return mixed(mixed(slot ^ low) ^ high) >>> 0
}

/** The end of MurmurHash3, where each bit that goes in turns over half of those that come out. */
function mixed(word: number): number {
  let bits = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
