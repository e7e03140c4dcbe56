import { SlowStart } from './slow-start.ts'

/** The parts of a pool that decide about a warm-up. */
export interface WarmUpContext {
  readonly now: () => number
  /** 0: there is no slow start. */
  readonly slowStartMs: number
  /** Requests that the pool has had. */
  readonly requests: number
}

/** Whether a backend starts slowly, and how far it is. */
export class WarmUp {
  readonly #context: WarmUpContext
  /** It has been away, or was never there, while others served: it had better start slowly. */
  #isCold: boolean
  #slowStart: SlowStart | undefined

  /** @param before that of the same backend in another pool */
  constructor(context: WarmUpContext, before?: WarmUp) {
    this.#context = context
    if (before === undefined) {
      this.#isCold = context.requests > 0
      return
    }
    this.#isCold = before.#isCold
    if (context.slowStartMs > 0) this.#slowStart = before.#slowStart
  }

  /** The backend takes no request any more. It is cold when it returns, unless no other has served meanwhile. */
  cool(): void {
    this.#isCold ||= this.#context.requests > 0
  }

  /** The backend takes requests from now on. */
  begin(): void {
    if (!this.#isCold) return
    this.#isCold = false
    const { slowStartMs, now } = this.#context
    if (slowStartMs > 0) this.#slowStart = new SlowStart(now(), slowStartMs)
  }

  /** The effective share of its weight at `nowMs`, above 0 and at most 1. */
  share(nowMs: number): number {
    const share = this.#slowStart?.share(nowMs) ?? 1
    if (share === 1) this.#slowStart = undefined
    return share
  }

  /** When `share` changes next; Infinity when it will not. */
  nextStepMs(nowMs: number): number {
    return this.#slowStart?.nextStepMs(nowMs) ?? Infinity
  }
}
