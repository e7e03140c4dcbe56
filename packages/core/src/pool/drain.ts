import { type Duration, durationMs } from '../options/duration.ts'
import { optionObject } from '../options/option.ts'

export interface DrainOptions {
  /** After this long the sessions that are left are moved, and tunnels are closed. @default '10m' */
  readonly deadline?: Duration
}

export interface DrainResult {
  /** Nobody was left; the time was over; or somebody commanded a state, or the backend left the pool. */
  readonly outcome: 'drained' | 'deadline' | 'cancelled'
  /** Requests that are still there: after the deadline they have a few seconds to end. */
  readonly inFlight: number
  /** Sessions that were, as far as this process has seen them; undefined where nobody knows. */
  readonly sessions: number | undefined
}

/** What a drain has to do with. */
export interface Draining {
  readonly inFlight: () => number
  readonly sessions: () => number | undefined
  /** Nobody is to come any more. */
  readonly leave: () => void
  /** Those who stay are to go. */
  readonly recall: () => void
  readonly ended: (result: DrainResult) => void
}

/** Sessions end by time alone, so somebody has to look. */
const LOOK_MS = 1_000
/** For requests that are in flight at the deadline, and for tunnels to say good-bye. */
const GRACE_MS = 5_000

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseDrain(options: DrainOptions = {}): number {
  const { deadline } = optionObject('drain', options, ['deadline'])
  return durationMs('drain.deadline', deadline, '10m')
}

/** The end of a backend's work that nobody should notice. */
export class Drain {
  /** Settles when it is over. Never fails. */
  readonly drained: Promise<DrainResult>
  readonly #draining: Draining
  readonly #timers: NodeJS.Timeout[]
  readonly #resolve: (result: DrainResult) => void
  /** After the deadline: the sessions that were left. */
  #late: { readonly sessions: number | undefined } | undefined
  #isOver = false

  constructor(draining: Draining, deadlineMs: number) {
    this.#draining = draining
    const { promise, resolve } = Promise.withResolvers<DrainResult>()
    this.drained = promise
    this.#resolve = resolve
    this.#timers = [
      setInterval(() => this.check(), LOOK_MS).unref(),
      setTimeout(() => this.#expire(), deadlineMs).unref(),
    ]
    queueMicrotask(() => this.check())
  }

  /** Requests and tunnels that are still there. */
  get inFlight(): number {
    return this.#draining.inFlight()
  }

  /** Live sessions that are tied to it; undefined where nobody knows, and then only the deadline ends it. */
  get sessions(): number | undefined {
    return this.#draining.sessions()
  }

  /** Something may have been the last. */
  check(): void {
    if (this.#isOver || this.inFlight > 0) return
    if (this.#late !== undefined) this.#end('deadline')
    else if (this.sessions === 0) {
      this.#draining.leave()
      this.#end('drained')
    }
  }

  cancel(): void {
    this.#end('cancelled')
  }

  #expire(): void {
    if (this.#isOver) return
    this.#late = { sessions: this.sessions }
    this.#draining.leave()
    this.#draining.recall()
    this.#timers.push(setTimeout(() => this.#end('deadline'), GRACE_MS).unref())
    this.check()
  }

  #end(outcome: DrainResult['outcome']): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of this.#timers) clearTimeout(timer)
    const { sessions } = this.#late ?? this
    const result: DrainResult = { outcome, inFlight: this.inFlight, sessions }
    this.#draining.ended(result)
    this.#resolve(result)
  }
}
