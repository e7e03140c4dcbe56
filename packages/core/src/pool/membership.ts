import { type BackendOptions, parseBackend, parseBackends } from './backend.ts'
import type { BackendView } from './backend-view.ts'
import { DepartedMembers } from './departed-members.ts'
import type { Discovered } from './discovered.ts'
import type { Drains } from './drains.ts'
import { Member, type MemberContext } from './member.ts'
import { MemberIndex } from './member-index.ts'
import type { PoolEvents } from './pool-events.ts'

/** The parts of a pool that a change of its members acts on. */
export interface ChangingPool {
  /** Of each member. */
  readonly context: MemberContext
  readonly events: PoolEvents
  readonly drains: Drains
  /** Discovery's report has changed whether `member` is healthy. */
  turned(member: Member): void
  /** Membership or a commanded state may have changed. */
  commanded(): void
}

/** The backends that are members of a pool, those that have just left it, and the ways in and out. */
export class Membership {
  readonly #pool: ChangingPool
  readonly #index = new MemberIndex()
  readonly #departed: DepartedMembers

  /** @throws OptionError for a malformed backend, or an id that stands twice. */
  constructor(pool: ChangingPool, backends: readonly BackendOptions[], removedGraceMs: number) {
    this.#pool = pool
    this.#departed = new DepartedMembers(removedGraceMs, pool.context.now)
    this.#index.set(this.#membersOf(backends))
  }

  /** In the order of configuration. A new list whenever membership changes. */
  get list(): readonly Member[] {
    return this.#index.list
  }

  get departed(): readonly BackendView[] {
    return this.#departed.views
  }

  /** Until the grace time of the next departed member ends; Infinity: there is none. */
  departedDueInMs(): number {
    return this.#departed.dueInMs()
  }

  find(id: string): Member | undefined {
    return this.#index.find(id)
  }

  /** @throws OptionError for an unknown id */
  get(id: string): Member {
    return this.#index.get(id)
  }

  findDeparted(id: string): BackendView | undefined {
    return this.#departed.find(id)
  }

  named(word: string): BackendView | undefined {
    return this.#index.named(word) ?? this.#departed.find(word)
  }

  /** @see Pool.replace */
  replace(backends: readonly BackendOptions[], discovered?: ReadonlyMap<string, Discovered>): void {
    const before = this.#index.byId
    const members = this.#membersOf(backends)
    const turned: Member[] = []
    if (discovered !== undefined) {
      for (const [id, member] of members)
        // A new one that is not ready yet has not changed.
        if (member.discover(discovered.get(id)) && before.get(id) === member) turned.push(member)
      for (const [id, member] of before)
        if (member.discovered !== undefined && !members.has(id)) this.#departed.add(member)
    }
    this.#set(members)
    for (const member of turned) this.#pool.turned(member)
  }

  /** @throws OptionError for a malformed backend, or an id or an alias that is taken. */
  add(backend: BackendOptions): Member {
    const parsed = parseBackend('backend', backend)
    this.#index.check(parsed)
    const member = new Member(parsed, this.#pool.context)
    this.#set(new Map(this.#index.byId).set(parsed.id, member))
    return member
  }

  /** @see Pool.remove */
  remove(id: string): boolean {
    this.#departed.forget(id)
    const rest = new Map(this.#index.byId)
    if (!rest.delete(id)) return false
    this.#set(rest)
    return true
  }

  /** Makes the members of another pool this one's, with their state. Publishes nothing. */
  takeOver(before: Membership): void {
    this.#departed.takeOver(before.#departed)
    this.#index.set(
      new Map(
        before.list.map(member => {
          const options = parseBackend('backend', member.options)
          return [options.id, new Member(options, this.#pool.context, member)]
        }),
      ),
    )
  }

  #membersOf(backends: readonly BackendOptions[]): Map<string, Member> {
    const next = new Map<string, Member>()
    // All of it is checked before any of it is done: a wrong list changes nothing.
    for (const parsed of parseBackends('backends', backends)) {
      const known = this.#index.find(parsed.id)
      const stays = known !== undefined && known.backend.url.href === parsed.url.href
      if (stays) {
        known.configure(parsed)
        this.#pool.drains.command(known, parsed.state)
      }
      next.set(parsed.id, stays ? known : new Member(parsed, this.#pool.context))
    }
    return next
  }

  #set(members: Map<string, Member>): void {
    const before = this.list
    const { drains, events } = this.#pool
    this.#index.set(members)
    this.#departed.forgetAll(members)
    for (const member of before) {
      if (members.get(member.backend.id) !== member) drains.cancel(member)
    }
    events.membersChanged(before, this.list)
    this.#pool.commanded()
  }
}
