import type { AdminState } from './backend.ts'
import { Drain, type DrainStart, type DrainTimes } from './drain.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Member } from './member.ts'
import type { PoolEvents } from './pool-events.ts'

/** The parts of a pool that its drains act on. */
export interface DrainedPool {
  readonly events: PoolEvents
  sessionsOf(id: string): number | undefined
  /** The same, an estimate where the exact number is unknown. */
  liveSessions(id: string): LiveSessions | undefined
  /** A drain has commanded a state. */
  changed(): void
  /** Milliseconds since the epoch. */
  nowMs(): number
}

/** The drains of a pool that are under way, at most one for each member. */
export class Drains {
  readonly #pool: DrainedPool
  readonly #drains = new Map<Member, Drain>()
  /** Another pool goes on with them, and tells of them. */
  #isHandedOver = false

  constructor(pool: DrainedPool) {
    this.#pool = pool
  }

  /** The one of `member`. */
  of(member: Member): Drain | undefined {
    return this.#drains.get(member)
  }

  /** @param start its beginning, if another pool has begun it */
  begin(member: Member, times: DrainTimes, start?: DrainStart): Drain {
    const pool = this.#pool
    const nowMs = pool.nowMs()
    const { events } = pool
    const drain = new Drain(
      {
        inFlight: () => member.inFlight,
        sessions: () => pool.sessionsOf(member.backend.id),
        liveSessions: () => pool.liveSessions(member.backend.id),
        disperse(spreadMs) {
          member.leaving = { fromMs: pool.nowMs(), spreadMs }
          pool.changed()
        },
        leave: () => {
          member.command('maint')
          if (!this.#isHandedOver) events.stateChanged(member)
          pool.changed()
        },
        recall: until => member.recall(until),
        ended: result => {
          this.#drains.delete(member)
          if (this.#isHandedOver) return
          member.counts.lastDrain = { ...result, startedAtMs: drain.startedAtMs, endedAtMs: pool.nowMs() }
          events.drained(member, result)
        },
      },
      times,
      nowMs,
      start ?? { atMs: nowMs, sessions: pool.liveSessions(member.backend.id)?.count },
    )
    this.#drains.set(member, drain)
    return drain
  }

  /** Goes on with the drains of a pool that this one takes over from. There they only recall requests. */
  takeOver(before: Drains, memberOf: (id: string) => Member | undefined): void {
    before.#isHandedOver = true
    const nowMs = this.#pool.nowMs()
    for (const [{ backend }, drain] of before.#drains) {
      const member = memberOf(backend.id)
      const { startedAtMs: atMs, startedSessions: sessions, isHeld } = drain
      if (member !== undefined) this.begin(member, drain.left(nowMs), { atMs, sessions }).hold(isHeld)
    }
  }

  /** Commands a state, which ends a drain of `member` that is under way. Nothing happens in this state already. */
  command(member: Member, state: AdminState): void {
    if (member.state === state) return
    this.cancel(member)
    member.command(state)
    this.#pool.events.stateChanged(member)
  }

  cancel(member: Member): void {
    this.#drains.get(member)?.cancel()
  }

  /** A request has left `member`. */
  freed(member: Member): void {
    if (member.inFlight === 0 && this.#drains.size > 0) this.#drains.get(member)?.check()
  }
}
