import type { BackendView } from './backend-view.ts'

/** The most that are remembered; the oldest are forgotten first. */
const MAX_DEPARTED = 10_000

interface Departure {
  readonly view: BackendView
  atMs: number
}

/** Members that discovery has removed less than the grace time ago. Their sessions are not placed anew yet. */
export class DepartedMembers {
  readonly #graceMs: number
  readonly #now: () => number
  /** By id, in the order of departure. */
  readonly #departures = new Map<string, Departure>()

  /** @param graceMs 0: none is remembered */
  constructor(graceMs: number, now: () => number) {
    this.#graceMs = graceMs
    this.#now = now
  }

  get views(): readonly BackendView[] {
    this.#prune()
    return Array.from(this.#departures.values(), ({ view }) => view)
  }

  find(id: string): BackendView | undefined {
    const departure = this.#departures.get(id)
    return departure === undefined || this.#leftMs(departure) <= 0 ? undefined : departure.view
  }

  add(view: BackendView): void {
    if (this.#graceMs === 0) return
    this.#prune()
    this.#put({ view, atMs: this.#now() })
  }

  forget(id: string): void {
    this.#departures.delete(id)
  }

  /** Forgets those whose id a member has again. */
  forgetAll(members: ReadonlyMap<string, BackendView>): void {
    for (const id of this.#departures.keys()) {
      if (members.has(id)) this.#departures.delete(id)
    }
  }

  /** Takes over the departures of `before`, with their times. */
  takeOver(before: DepartedMembers): void {
    if (this.#graceMs === 0) return
    for (const departure of before.#departures.values()) this.#put({ ...departure })
  }

  /** Until the next one is forgotten; Infinity: there is none. */
  dueInMs(): number {
    this.#prune()
    for (const departure of this.#departures.values()) return this.#leftMs(departure)
    return Infinity
  }

  #put(departure: Departure): void {
    this.#departures.set(departure.view.backend.id, departure)
    if (this.#departures.size <= MAX_DEPARTED) return
    for (const oldest of this.#departures.keys()) {
      this.#departures.delete(oldest)
      return
    }
  }

  #prune(): void {
    for (const [id, departure] of this.#departures) {
      if (this.#leftMs(departure) > 0) return
      this.#departures.delete(id)
    }
  }

  #leftMs(departure: Departure): number {
    // A clock that is set back begins the grace time anew.
    departure.atMs = Math.min(departure.atMs, this.#now())
    return departure.atMs + this.#graceMs - this.#now()
  }
}
