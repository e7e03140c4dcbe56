import { Drain } from './drain.ts'
import type { Member } from './member.ts'
import type { PoolEvents } from './pool-events.ts'

/** The parts of a pool that its drains act on. */
export interface DrainedPool {
  readonly events: PoolEvents
  sessionsOf(id: string): number | undefined
  /** A drain has commanded a state. */
  changed(): void
}

/** The drains of a pool that are under way, at most one for each member. */
export class Drains {
  readonly #pool: DrainedPool
  readonly #drains = new Map<Member, Drain>()

  constructor(pool: DrainedPool) {
    this.#pool = pool
  }

  /** The one of `member`. */
  of(member: Member): Drain | undefined {
    return this.#drains.get(member)
  }

  /** @param nowMs milliseconds since the epoch */
  begin(member: Member, deadlineMs: number, nowMs: number): Drain {
    const { events } = this.#pool
    const drain = new Drain(
      {
        inFlight: () => member.inFlight,
        sessions: () => this.#pool.sessionsOf(member.backend.id),
        leave: () => {
          member.command('maint')
          events.stateChanged(member)
          this.#pool.changed()
        },
        recall: () => member.recall(),
        ended: result => {
          this.#drains.delete(member)
          events.drained(member, result)
        },
      },
      deadlineMs,
      nowMs,
    )
    this.#drains.set(member, drain)
    return drain
  }

  cancel(member: Member): void {
    this.#drains.get(member)?.cancel()
  }

  /** A request has left `member`. */
  freed(member: Member): void {
    if (member.inFlight === 0 && this.#drains.size > 0) this.#drains.get(member)?.check()
  }
}
