/** A weight that changes makes balancers plan anew, so it grows in this many steps. */
const STEPS = 20

/** A backend's way from its first new session to its whole share of them (HAProxy, nginx `slow_start`). */
export class SlowStart {
  #startMs: number
  readonly #stepMs: number

  constructor(startMs: number, lengthMs: number) {
    this.#startMs = startMs
    this.#stepMs = lengthMs / STEPS
  }

  /** The effective share of its weight at `nowMs`: a twentieth at first, 1 at the end. */
  share(nowMs: number): number {
    return Math.min(this.#step(nowMs) + 1, STEPS) / STEPS
  }

  /** When `share` changes next; Infinity when it will not. */
  nextStepMs(nowMs: number): number {
    const next = this.#step(nowMs) + 1
    return next >= STEPS ? Infinity : this.#startMs + next * this.#stepMs
  }

  /** A clock that is set back begins again, and one that jumps ahead is at the end. */
  #step(nowMs: number): number {
    this.#startMs = Math.min(this.#startMs, nowMs)
    return Math.floor((nowMs - this.#startMs) / this.#stepMs)
  }
}
