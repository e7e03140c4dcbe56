import { duration } from '../options/option-kinds.ts'
import { type OptionsOf, optionTable } from '../options/option-table.ts'

/** How a backend is drained. */
const DRAIN_OPTIONS = optionTable({
  /** After this long the sessions that are left move, and tunnels are closed. @default '10m' */
  deadline: duration({ default: '10m' }),
})

export interface DrainOptions extends OptionsOf<typeof DRAIN_OPTIONS> {}

export interface DrainResult {
  /** No session was left; the deadline passed; or a state was commanded, or the backend left the pool. */
  readonly outcome: 'drained' | 'deadline' | 'cancelled'
  /** Requests that are still there: after the deadline they have a few seconds to end. */
  readonly inFlight: number
  /** Sessions that were left, as far as this process has seen them; undefined when sessions are not counted. */
  readonly sessions: number | undefined
}

/** The parts of a member that a drain acts on. */
export interface Draining {
  readonly inFlight: () => number
  readonly sessions: () => number | undefined
  /** Stops new sessions. */
  readonly leave: () => void
  /** Recalls the requests and tunnels that are left. */
  readonly recall: () => void
  readonly ended: (result: DrainResult) => void
}

/** Sessions expire by time alone, so their number is polled. */
const LOOK_MS = 1_000
/** Grace period after the deadline, for requests in flight and the closing handshakes of tunnels. */
const GRACE_MS = 5_000

/** @throws OptionError for a wrong option */
export function parseDrain(options: DrainOptions = {}): number {
  return DRAIN_OPTIONS.parse('drain', options).deadline
}

/** The graceful end of a backend's work. */
export class Drain {
  /** Settles when it is over. Never fails. */
  readonly drained: Promise<DrainResult>
  /** Its beginning and its deadline, in milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly deadlineAtMs: number
  readonly #draining: Draining
  readonly #timers: NodeJS.Timeout[]
  readonly #resolve: (result: DrainResult) => void
  /** After the deadline: the sessions that were left. */
  #late: { readonly sessions: number | undefined } | undefined
  #isOver = false

  /** @param nowMs milliseconds since the epoch */
  constructor(draining: Draining, deadlineMs: number, nowMs: number) {
    this.startedAtMs = nowMs
    this.deadlineAtMs = nowMs + deadlineMs
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

  /** Live sessions that are tied to it; undefined when sessions are not counted: then only the deadline ends the drain. */
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
