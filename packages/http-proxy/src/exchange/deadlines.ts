import { AsyncResource } from 'node:async_hooks'

/** Something that has to be over in time. */
export interface Timed {
  /** It took too long. Called in no request's async context. */
  timedOut(): void
}

/** The end of the time that something has. */
export class Deadline {
  readonly timed: Timed | undefined
  endsMs = 0
  before: Deadline = this
  after: Deadline = this

  constructor(timed?: Timed) {
    this.timed = timed
  }
}

/**
 * The deadlines of many things that have the same time, with one timer for the first of them: a timer of Node's for each
 * costs more CPU time, and three times the memory. The one that begins last is the last to end, so the list has an order.
 */
export class Deadlines {
  readonly ms: number
  /** Before the first and after the last. */
  readonly #ends = new Deadline()
  /** The timer would keep the context of the request that has started it, as long as there are others. */
  readonly #context = new AsyncResource('limpet.deadlines')
  #timer: NodeJS.Timeout | undefined

  /** @param ms the time that each has; 0: any */
  constructor(ms: number) {
    this.ms = ms
  }

  /** Begins the time of `timed`. Returns undefined when `timed` may take any time. */
  start(timed: Timed): Deadline | undefined {
    if (this.ms === 0) return undefined
    const deadline = new Deadline(timed)
    this.#add(deadline)
    return deadline
  }

  /** Its time begins anew, unless it has ended. */
  refresh(deadline: Deadline | undefined): void {
    if (deadline === undefined || deadline.after === deadline) return
    remove(deadline)
    this.#add(deadline)
  }

  end(deadline: Deadline | undefined): void {
    if (deadline === undefined || deadline.after === deadline) return
    remove(deadline)
    if (this.#ends.after !== this.#ends) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #add(deadline: Deadline): void {
    const last = this.#ends.before
    deadline.endsMs = performance.now() + this.ms
    deadline.before = last
    deadline.after = this.#ends
    last.after = deadline
    this.#ends.before = deadline
    this.#wait()
  }

  /** For the first, if the timer does not run. It may ring for one that is over; then it runs for the next. */
  #wait(): void {
    const first = this.#ends.after
    if (this.#timer !== undefined || first === this.#ends) return
    const ms = Math.max(1, Math.ceil(first.endsMs - performance.now()))
    this.#timer = this.#context.runInAsyncScope(setTimeout, undefined, this.#ring, ms)
  }

  readonly #ring = (): void => {
    this.#timer = undefined
    const nowMs = performance.now()
    try {
      for (
        let first = this.#ends.after;
        first !== this.#ends && first.endsMs <= nowMs;
        first = this.#ends.after
      ) {
        remove(first)
        first.timed?.timedOut()
      }
    } finally {
      this.#wait()
    }
  }
}

/** It forgets its neighbours: a dead one in V8's old generation would keep all later ones alive. */
function remove(deadline: Deadline): void {
  deadline.before.after = deadline.after
  deadline.after.before = deadline.before
  deadline.before = deadline
  deadline.after = deadline
}
