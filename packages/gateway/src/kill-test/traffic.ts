import { setTimeout as delay } from 'node:timers/promises'
import { Session, type Stage } from './session.ts'

const POLL_MS = 20

/** All sessions of a test, each in rounds of the scenario, until it is stopped. */
export class Traffic {
  readonly sessions: readonly Session[]
  readonly #stage: Stage
  readonly #ended = new AbortController()
  readonly #lives: readonly Promise<void>[]
  #failure: Error | undefined
  #isFinishing = false

  constructor(stage: Stage) {
    const { scenario } = stage
    this.#stage = stage
    this.sessions = Array.from({ length: scenario.sessions }, (_, index) => new Session(stage, index))
    this.#lives = this.sessions.map(async (session, index) => {
      try {
        await this.#live(session, index)
      } catch (error) {
        // Only a mistake of ours comes here.
        if (!this.#ended.signal.aborted) this.#failure ??= error as Error
      }
    })
  }

  /**
   * Settles when every session has had a good round that began at `sinceMs` or later, and there was no trouble for `settleMs`.
   * @returns false when that has not come by `untilMs`
   */
  async well(sinceMs: number, settleMs: number, untilMs: number, signal: AbortSignal): Promise<boolean> {
    const { journal } = this.#stage
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      const quietMs = Math.max(sinceMs, journal.phase.lastTroubleMs ?? 0)
      const isQuiet = journal.nowMs - quietMs >= settleMs
      if (isQuiet && this.sessions.every(({ goodRoundMs = -1 }) => goodRoundMs >= quietMs)) return true
      if (journal.nowMs > untilMs) return false
      await delay(POLL_MS, undefined, { signal })
    }
  }

  /** Settles when one session has had trouble, or all have had a good round. */
  async begun(untilMs: number, signal: AbortSignal): Promise<void> {
    const { journal } = this.#stage
    const hasAll = (): boolean => this.sessions.every(({ goodRoundMs }) => goodRoundMs !== undefined)
    while (!hasAll() && journal.phase.firstTroubleMs === undefined && journal.nowMs < untilMs) {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      await delay(POLL_MS, undefined, { signal })
    }
  }

  /** Begins no more rounds; settles when the last ones have ended. */
  async finish(signal: AbortSignal): Promise<void> {
    this.#isFinishing = true
    const { promise, reject } = Promise.withResolvers<never>()
    const fail = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', fail, { once: true })
    if (signal.aborted) fail()
    try {
      await Promise.race([promise, Promise.all(this.#lives)])
    } finally {
      signal.removeEventListener('abort', fail)
    }
  }

  /** Ends the rounds where they are. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await Promise.all(this.#lives)
    await Promise.all(this.sessions.map(async session => session.close()))
  }

  async #live(session: Session, index: number): Promise<void> {
    const { signal } = this.#ended
    const { scenario, journal } = this.#stage
    const everyMs = (scenario.sessions / scenario.rate) * 1000
    // Sessions take turns, so that the rate is even.
    let nextMs = journal.nowMs + (index / scenario.rate) * 1000
    const pause = async (): Promise<void> => {
      const waitMs = nextMs - journal.nowMs
      if (waitMs > 0) await delay(waitMs, undefined, { signal })
      signal.throwIfAborted()
      nextMs = Math.max(nextMs, journal.nowMs) + everyMs
    }
    while (!signal.aborted && !this.#isFinishing) await session.round(pause, signal)
  }
}
