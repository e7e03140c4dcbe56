import { duration } from '../options/duration-kind.ts'
import { type OptionsOf, optionTable } from '../options/option-table.ts'
import type { LiveSessions } from './live-sessions.ts'

/** How a backend is drained. */
const DRAIN_OPTIONS = optionTable({
  /** After this long the sessions that are left move, and tunnels are closed. @default '10m' */
  deadline: duration({ default: '10m' }),
  /** Sessions that are left at the deadline move over this time, one after the other. 0: all with their next request. @default '0s' */
  spread: duration({ default: '0s' }),
})

export interface DrainOptions extends OptionsOf<typeof DRAIN_OPTIONS> {}

export interface DrainResult {
  /** No session was left; the deadline passed; or a state was commanded, or the backend left the pool. */
  readonly outcome: 'drained' | 'deadline' | 'cancelled'
  /** Requests that are still there: after the deadline they have a few seconds to end. */
  readonly inFlight: number
  /** Sessions that were left; undefined when sessions are not counted. */
  readonly sessions: number | undefined
  /** `sessions` are those that this process has seen: there may be more from before it. */
  readonly sessionsEstimated: boolean
}

/** The parts of a member that a drain acts on. */
export interface Draining {
  readonly inFlight: () => number
  readonly sessions: () => number | undefined
  /** The same, an estimate where the exact number is unknown. */
  readonly liveSessions: () => LiveSessions | undefined
  /** Begins to move its sessions, over `spreadMs`. */
  readonly disperse: (spreadMs: number) => void
  /** Takes no request any more. */
  readonly leave: () => void
  /** Recalls tunnels, and requests without an end: those of the sessions whose turn is before `until`, from 0 to 1. */
  readonly recall: (until: number) => void
  readonly ended: (result: DrainResult) => void
}

/** How long a drain lasts, in milliseconds. */
export interface DrainTimes {
  readonly deadlineMs: number
  readonly spreadMs: number
}

/** The beginning of a drain. */
export interface DrainStart {
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly sessions: number | undefined
}

/** Sessions expire by time alone, so their number is polled. */
const LOOK_MS = 1_000
/** Grace period after the deadline, for requests in flight and the closing handshakes of tunnels. */
const GRACE_MS = 5_000
/** Steps in which tunnels are closed, while sessions move. */
const STEPS = 100
const MIN_STEP_MS = 50

/** @throws OptionError for a wrong option */
export function parseDrain(options: DrainOptions = {}): DrainTimes {
  const { deadline, spread } = DRAIN_OPTIONS.parse('drain', options)
  return { deadlineMs: deadline, spreadMs: spread }
}

/** The graceful end of a backend's work. */
export class Drain {
  /** Settles when it is over. Never fails. */
  readonly drained: Promise<DrainResult>
  /** Its beginning and its deadline, in milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly deadlineAtMs: number
  /** From the deadline on, its sessions move over this time, in milliseconds. */
  readonly spreadMs: number
  /** Live sessions at its beginning, an estimate where their number was unknown; undefined: they are not counted. */
  readonly startedSessions: number | undefined
  readonly #draining: Draining
  readonly #timers: NodeJS.Timeout[]
  readonly #resolve: (result: DrainResult) => void
  /** After the deadline: the sessions that were left. */
  #late: { readonly sessions: LiveSessions | undefined } | undefined
  #hasLeft = false
  #isHeld = false
  #isOver = false

  /**
   * @param nowMs milliseconds since the epoch
   * @param start its beginning, which may have been in another pool
   */
  constructor(draining: Draining, { deadlineMs, spreadMs }: DrainTimes, nowMs: number, start: DrainStart) {
    this.startedAtMs = start.atMs
    this.startedSessions = start.sessions
    this.deadlineAtMs = nowMs + deadlineMs
    this.spreadMs = spreadMs
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

  /** Whether other processes still need the backend. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /**
   * Sets whether other processes still need the backend, for their sessions or requests. While they do, the drain does not
   * end for want of sessions here; its deadline ends it nevertheless.
   */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    if (!isHeld) this.check()
  }

  /** The times that are left, for another pool that goes on with the drain. */
  left(nowMs: number): DrainTimes {
    const deadlineMs = Math.max(0, this.deadlineAtMs - nowMs)
    const endMs = Math.max(0, this.deadlineAtMs + this.spreadMs - nowMs)
    return { deadlineMs, spreadMs: Math.min(this.spreadMs, endMs) }
  }

  /** Something may have been the last. */
  check(): void {
    if (this.#isOver || this.inFlight > 0) return
    if (this.#hasLeft) this.#end('deadline')
    else if (this.sessions === 0 && !this.#isHeld) {
      this.#draining.leave()
      this.#end(this.#late === undefined ? 'drained' : 'deadline')
    }
  }

  cancel(): void {
    this.#end('cancelled')
  }

  #expire(): void {
    if (this.#isOver) return
    this.#late = { sessions: this.#draining.liveSessions() }
    const { spreadMs } = this
    if (spreadMs === 0) {
      this.#leave()
      return
    }
    this.#draining.disperse(spreadMs)
    const fromMs = performance.now()
    const step = (): void => this.#draining.recall((performance.now() - fromMs) / spreadMs)
    this.#timers.push(
      setInterval(step, Math.max(MIN_STEP_MS, spreadMs / STEPS)).unref(),
      setTimeout(() => this.#leave(), spreadMs).unref(),
    )
    this.check()
  }

  #leave(): void {
    if (this.#isOver) return
    this.#hasLeft = true
    this.#draining.leave()
    this.#draining.recall(1)
    // The last may have ended at once.
    if (this.#isOver) return
    this.#timers.push(setTimeout(() => this.#end('deadline'), GRACE_MS).unref())
    this.check()
  }

  #end(outcome: DrainResult['outcome']): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of this.#timers) clearTimeout(timer)
    const { sessions } = this.#late ?? { sessions: this.#draining.liveSessions() }
    const result: DrainResult = {
      outcome,
      inFlight: this.inFlight,
      sessions: sessions?.count,
      sessionsEstimated: sessions?.isEstimated === true,
    }
    this.#draining.ended(result)
    this.#resolve(result)
  }
}
