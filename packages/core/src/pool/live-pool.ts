import {
  ADMIN_STATES,
  type AdminState,
  type Backend,
  type BackendOptions,
  MAX_IN_FLIGHT,
  type ParsedBackend,
  parseBackend,
  parseBackends,
  parseWeight,
} from './backend.ts'
import type { BackendView, Hold } from './backend-view.ts'
import { CandidateLists, type Candidates, chooseCandidates } from './candidates.ts'
import type { CheckResult, CountedConnection, MoveReason } from '../counts/backend-counts.ts'
import { PoolCounts } from '../counts/pool-counts.ts'
import { DepartedMembers } from './departed-members.ts'
import type { Discovered } from './discovered.ts'
import { type Drain, type DrainOptions, parseDrain } from './drain.ts'
import { Drains } from './drains.ts'
import { type LiveSessions, type SessionCounter, SessionCounters } from './live-sessions.ts'
import { Member, type MemberContext } from './member.ts'
import { MemberIndex } from './member-index.ts'
import { OptionError } from '../options/option.ts'
import { parseOption } from '../options/option-kind.ts'
import type { Pool } from './pool.ts'
import { type HealthWitness, PoolEvents } from './pool-events.ts'
import { POOL_SETTINGS, type PoolSettings } from './pool-settings.ts'
import { WaitQueue } from './wait-queue.ts'

/** The set of backends, and all that changes about them. Leases and decisions use more of it than is published. */
export class LivePool implements Pool {
  readonly name: string
  /** Requests that wait. */
  readonly queue: WaitQueue
  readonly #sessions = new SessionCounters()
  #counts: PoolCounts
  readonly #context: MemberContext
  readonly #members = new MemberIndex()
  readonly #lists: CandidateLists
  readonly #departed: DepartedMembers
  readonly #drains: Drains
  readonly #events: PoolEvents
  readonly #watchers = new Set<() => void>()

  /** @throws OptionError for a malformed backend, or an id that stands twice. */
  constructor(name: string, backends: readonly BackendOptions[], settings: Partial<PoolSettings> = {}) {
    const { maxQueue, removedGraceMs, ...rest } = { ...POOL_SETTINGS, ...settings }
    this.name = name
    this.#events = new PoolEvents(name)
    this.#lists = new CandidateLists(rest.now)
    this.#departed = new DepartedMembers(removedGraceMs, rest.now)
    this.#counts = new PoolCounts(rest.now())
    this.#drains = new Drains({
      events: this.#events,
      sessionsOf: id => this.sessionsOf(id),
      changed: () => this.#commanded(),
      nowMs: () => this.nowMs,
    })
    this.queue = new WaitQueue(maxQueue, () =>
      Math.min(this.#lists.dueInMs(this.#members.list), this.#departed.dueInMs()),
    )
    this.#context = {
      ...rest,
      inFlight: 0,
      requests: 0,
      stale: () => this.#lists.stale(),
      healthChanged: member => this.#healthChanged(member, 'requests'),
      mayTakeOut: member => this.#mayTakeOut(member),
      freed: member => this.#freed(member),
    }
    this.#members.set(this.#membersOf(backends))
  }

  get backends(): readonly BackendView[] {
    return this.#members.list
  }

  get members(): readonly Member[] {
    return this.#members.list
  }

  get departed(): readonly BackendView[] {
    return this.#departed.views
  }

  get inFlight(): number {
    return this.#context.inFlight
  }

  /** Everything that is counted of the pool as a whole: the affinity and its leases write it. */
  get counts(): PoolCounts {
    return this.#counts
  }

  /** The pool's clock: milliseconds since the epoch. */
  get nowMs(): number {
    return this.#context.now()
  }

  get requests(): number {
    return this.#context.requests
  }

  get queued(): number {
    return this.queue.size
  }

  get candidates(): Candidates {
    return this.#lists.candidates(this.#members.list)
  }

  /** The candidates there would be without `tried`: the draining ones, when no other is left. */
  candidatesBut(tried: readonly BackendView[]): Candidates {
    return chooseCandidates(this.#members.list.filter(view => !tried.includes(view)))
  }

  /** Backups for requests that the candidates have no room for. */
  get backupCandidates(): Candidates {
    return this.#lists.backupCandidates(this.#members.list)
  }

  find(id: string): BackendView | undefined {
    return this.#members.find(id)
  }

  findDeparted(id: string): BackendView | undefined {
    return this.#departed.find(id)
  }

  named(word: string): BackendView | undefined {
    return this.#members.named(word) ?? this.#departed.find(word)
  }

  replace(backends: readonly BackendOptions[], discovered?: ReadonlyMap<string, Discovered>): void {
    const before = this.#members.byId
    const members = this.#membersOf(backends)
    const turned: Member[] = []
    if (discovered !== undefined) {
      for (const [id, member] of members)
        // A new one that is not ready yet has not changed.
        if (member.discover(discovered.get(id)) && before.get(id) === member) turned.push(member)
      for (const [id, member] of before)
        if (member.discovered !== undefined && !members.has(id)) this.#departed.add(member)
    }
    this.#setMembers(members)
    for (const member of turned) {
      member.counts.turned(member.healthy, this.nowMs)
      this.#events.healthChanged(member, 'discovery')
      if (!member.healthy) member.foundDown()
    }
  }

  takeOver(before: Pool): void {
    if (!(before instanceof LivePool)) throw new TypeError('takeOver() takes the pool of another affinity')
    this.#context.requests = before.#context.requests
    this.#counts = before.#counts
    this.#departed.takeOver(before.#departed)
    this.#members.set(
      new Map(
        before.#members.list.map(member => {
          const options = parseBackend('backend', member.options)
          return [options.id, new Member(options, this.#context, member)]
        }),
      ),
    )
    this.#drains.takeOver(before.#drains, id => this.#members.find(id))
    this.#changed()
  }

  add(backend: BackendOptions): BackendView {
    const parsed = parseBackend('backend', backend)
    this.#members.check(parsed)
    const member = new Member(parsed, this.#context)
    this.#setMembers(new Map(this.#members.byId).set(parsed.id, member))
    return member
  }

  remove(id: string): boolean {
    this.#departed.forget(id)
    const rest = new Map(this.#members.byId)
    if (!rest.delete(id)) return false
    this.#setMembers(rest)
    return true
  }

  setState(id: string, state: AdminState): void {
    if (!ADMIN_STATES.includes(state))
      throw new OptionError('state', state, `one of ${ADMIN_STATES.join(', ')}`)
    const member = this.#members.get(id)
    this.#drains.cancel(member)
    this.#command(member, state)
    this.#commanded()
  }

  setWeight(id: string, weight: number): void {
    this.#members.get(id).weight = parseWeight('weight', weight)
    this.#changed()
  }

  setBackup(id: string, backup: boolean): void {
    this.#members.get(id).backup = backup
    this.#changed()
  }

  setMaxInFlight(id: string, maxInFlight: number | undefined): void {
    const member = this.#members.get(id)
    member.limit(
      maxInFlight === undefined ? undefined : parseOption(MAX_IN_FLIGHT, 'maxInFlight', maxInFlight),
    )
    this.#changed()
  }

  setHealthy(id: string, healthy: boolean, reason?: string): void {
    const member = this.#members.get(id)
    if (!member.observe(healthy)) return
    this.#healthChanged(member, 'check', reason)
    if (!healthy) member.foundDown()
  }

  setSelfDraining(id: string, selfDraining: boolean): void {
    const member = this.#members.get(id)
    if (member.selfDraining === selfDraining) return
    member.selfDraining = selfDraining
    member.counts.changedAtMs = this.nowMs
    this.#events.selfDraining(member)
    this.#changed()
  }

  noteCheck(id: string, result: Omit<CheckResult, 'atMs'>): void {
    this.#members.find(id)?.counts.checked({ ...result, atMs: this.nowMs })
  }

  countConnection(backend: Backend, connection: CountedConnection): void {
    const member = this.#members.find(backend.id)
    if (member?.backend === backend) member.counts.connected(connection)
  }

  /** Counts a session that has left the backend of this id, and tells why. */
  countMove(from: string, to: string, reason: MoveReason): void {
    const member = this.#members.find(from)
    if (member === undefined || reason === 'removed') this.#counts.sessionsOfRemoved += 1
    else member.counts.sessionsMoved[reason] += 1
    this.#events.sessionMoved(from, to, reason)
  }

  drainOf(id: string): Drain | undefined {
    const member = this.#members.find(id)
    return member && this.#drains.of(member)
  }

  drain(id: string, options?: DrainOptions): Drain {
    const member = this.#members.get(id)
    const times = parseDrain(options)
    this.setState(id, 'drain')
    return this.#drains.begin(member, times)
  }

  recall(): void {
    for (const member of this.#members.list) member.recall()
  }

  sessionsOf(id: string): number | undefined {
    return this.#sessions.exact(id)
  }

  /** The same from the first minute on: where the exact number is unknown, those that this process has seen. */
  liveSessions(id: string): LiveSessions | undefined {
    return this.#sessions.of(id)
  }

  /**
   * @param exact the counter of live sessions
   * @param seen the counter of those among them that this process has seen
   */
  countSessionsWith(exact: SessionCounter, seen: SessionCounter = exact): void {
    this.#sessions.exact = exact
    this.#sessions.seen = seen
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Counts a request in at a backend, which stays the one that is counted though it may be removed meanwhile. */
  hold(view: BackendView): Hold {
    if (!(view instanceof Member)) throw new TypeError(`backend ${view.backend.id} is not of a pool`)
    return view.hold()
  }

  #membersOf(backends: readonly BackendOptions[]): Map<string, Member> {
    const next = new Map<string, Member>()
    // All of it is checked before any of it is done: a wrong list changes nothing.
    for (const parsed of parseBackends('backends', backends)) {
      const known = this.#members.find(parsed.id)
      const stays = known !== undefined && known.backend.url.href === parsed.url.href
      if (stays) this.#configure(known, parsed)
      next.set(parsed.id, stays ? known : new Member(parsed, this.#context))
    }
    return next
  }

  #setMembers(members: Map<string, Member>): void {
    const before = this.#members.list
    this.#members.set(members)
    this.#departed.forgetAll(members)
    for (const member of before) {
      if (members.get(member.backend.id) !== member) this.#drains.cancel(member)
    }
    this.#events.membersChanged(before, this.#members.list)
    this.#commanded()
  }

  #configure(member: Member, parsed: ParsedBackend): void {
    member.configure(parsed)
    this.#command(member, parsed.state)
  }

  #command(member: Member, state: AdminState): void {
    if (member.state === state) return
    this.#drains.cancel(member)
    member.command(state)
    this.#events.stateChanged(member)
  }

  /** Membership or a commanded state may have changed. */
  #commanded(): void {
    for (const watcher of this.#watchers) watcher()
    this.#changed()
  }

  #changed(): void {
    this.#lists.stale()
    if (this.queue.size > 0) this.queue.changed()
  }

  #freed(member: Member): void {
    if (this.queue.size > 0) this.queue.freed(member)
    this.#drains.freed(member)
  }

  /**
   * Requests alone take out at most half of the backends, and none unless another backend does better. When all are
   * silent, using fewer of them gains nothing, and the ejected ones may as well be tried again.
   */
  #mayTakeOut(member: Member): boolean {
    const others = this.#members.list.filter(other => other !== member)
    const out = others.filter(({ passive }) => passive?.isOut === true)
    if (others.some(({ isUsable, passive }) => isUsable && passive?.isWell === true))
      return 2 * (out.length + 1) <= this.#members.list.length
    for (const other of out) other.readmit()
    return false
  }

  #healthChanged(member: Member, by: HealthWitness, reason?: string): void {
    member.counts.turned(member.healthy, this.nowMs)
    this.#events.healthChanged(member, by, reason)
    this.#changed()
  }
}
