import {
  ADMIN_STATES,
  type AdminState,
  type BackendOptions,
  MAX_IN_FLIGHT,
  type ParsedBackend,
  parseBackend,
  parseBackends,
  parseWeight,
  UNIQUE_ALIAS,
} from './backend.ts'
import { CandidateLists, type Candidates, chooseCandidates } from './candidates.ts'
import { DepartedMembers } from './departed-members.ts'
import type { Discovered } from './discovered.ts'
import { Drain, type Draining, type DrainOptions, parseDrain } from './drain.ts'
import type { BackendView, Hold } from './backend-view.ts'
import { Member, type MemberContext } from './member.ts'
import { OptionError } from '../options/option.ts'
import { parseOption } from '../options/option-kind.ts'
import { type HealthWitness, PoolEvents } from './pool-events.ts'
import { POOL_SETTINGS, type PoolSettings } from './pool-settings.ts'
import { WaitQueue } from './wait-queue.ts'

/** The set of backends, and all that changes about them. */
export class Pool {
  readonly name: string
  /** Requests that wait. */
  readonly queue: WaitQueue
  readonly #context: MemberContext
  readonly #lists: CandidateLists
  readonly #events: PoolEvents
  readonly #watchers = new Set<() => void>()
  readonly #drains = new Map<BackendView, Drain>()
  readonly #departed: DepartedMembers
  #members = new Map<string, Member>()
  #backends: readonly Member[] = []
  /** By the alias; undefined: to be made anew. */
  #aliases: ReadonlyMap<string, Member> | undefined
  #sessionsOf: (id: string) => number | undefined = () => undefined

  /** @throws OptionError for a malformed backend, or an id that stands twice. */
  constructor(name: string, backends: readonly BackendOptions[], settings: Partial<PoolSettings> = {}) {
    const { maxQueue, removedGraceMs, ...rest } = { ...POOL_SETTINGS, ...settings }
    this.name = name
    this.#events = new PoolEvents(name)
    this.#lists = new CandidateLists(rest.now)
    this.#departed = new DepartedMembers(removedGraceMs, rest.now)
    this.queue = new WaitQueue(maxQueue, () =>
      Math.min(this.#lists.dueInMs(this.#backends), this.#departed.dueInMs()),
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
    this.#members = this.#membersOf(backends)
    this.#backends = [...this.#members.values()]
  }

  /** Every member, in the order of configuration. A new list whenever membership changes. */
  get backends(): readonly BackendView[] {
    return this.#backends
  }

  /** Requests in flight at all backends, those that were removed meanwhile among them. */
  get inFlight(): number {
    return this.#context.inFlight
  }

  /** Requests that ever held a backend, each as often as it was given another. */
  get requests(): number {
    return this.#context.requests
  }

  get candidates(): Candidates {
    return this.#lists.candidates(this.#backends)
  }

  /** The candidates there would be without `tried`: the draining ones, when no other is left. */
  candidatesBut(tried: readonly BackendView[]): Candidates {
    return chooseCandidates(this.#backends.filter(view => !tried.includes(view)))
  }

  /** Backups for requests that the candidates have no room for. */
  get backupCandidates(): Candidates {
    return this.#lists.backupCandidates(this.#backends)
  }

  find(id: string): BackendView | undefined {
    return this.#members.get(id)
  }

  /** Members that discovery has removed less than the grace time ago. */
  get departed(): readonly BackendView[] {
    return this.#departed.views
  }

  /** One of `departed`, by its id. */
  findDeparted(id: string): BackendView | undefined {
    return this.#departed.find(id)
  }

  /** The member, or the departed one, that a word of an affinity key stands for: its id, or one of its aliases. */
  named(word: string): BackendView | undefined {
    return this.#memberNamed(word) ?? this.#departed.find(word)
  }

  #memberNamed(word: string): Member | undefined {
    return this.#members.get(word) ?? this.#byAlias.get(word)
  }

  get #byAlias(): ReadonlyMap<string, Member> {
    this.#aliases ??= new Map(
      this.#backends.flatMap(member => member.aliases.map(alias => [alias, member] as const)),
    )
    return this.#aliases
  }

  /**
   * Makes `backends` the members. A backend that stays, by id and url, keeps its health and counts and takes the
   * new options. A known id with another url is another server: it starts afresh.
   * @param discovered discovery's reports on its own backends, by id @default the last ones. A discovered member that
   *   such a change removes stays among `departed` for the grace time.
   * @throws OptionError for a malformed backend or a duplicate id; then nothing has changed.
   */
  replace(backends: readonly BackendOptions[], discovered?: ReadonlyMap<string, Discovered>): void {
    const before = this.#members
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
      this.#events.healthChanged(member, 'discovery')
      if (!member.healthy) member.foundDown()
    }
  }

  /**
   * Takes over the state of `before`, for a pool that is reconfigured while it serves: its members become this one's,
   * with their counts, operators' commands and observed health. Publishes no event, because nothing has changed.
   * Requests in flight at `before` end there, and are not counted here.
   */
  takeOver(before: Pool): void {
    this.#context.requests = before.#context.requests
    this.#departed.takeOver(before.#departed)
    this.#members = new Map(
      before.#backends.map(member => {
        const options = parseBackend('backend', member.options)
        return [options.id, new Member(options, this.#context, member)]
      }),
    )
    this.#backends = [...this.#members.values()]
    this.#changed()
  }

  /** @throws OptionError for a malformed backend, or an id or an alias that is taken. */
  add(backend: BackendOptions): BackendView {
    const parsed = parseBackend('backend', backend)
    if (this.#members.has(parsed.id))
      throw new OptionError('backend.id', parsed.id, 'an id that no other backend of the pool has')
    if (this.#byAlias.has(parsed.id))
      throw new OptionError('backend.id', parsed.id, 'an id that is no alias in the pool')
    const taken = parsed.aliases.findIndex(
      (alias, index) =>
        this.#memberNamed(alias) !== undefined ||
        alias === parsed.id ||
        parsed.aliases.indexOf(alias) < index,
    )
    if (taken >= 0) throw new OptionError(`backend.aliases[${taken}]`, parsed.aliases[taken], UNIQUE_ALIAS)
    const member = new Member(parsed, this.#context)
    this.#setMembers(new Map(this.#members).set(parsed.id, member))
    return member
  }

  /**
   * Removes a backend. Its requests in flight finish; its sessions are placed anew, at once.
   * @returns false for an id that is no member's. If discovery has removed it, its grace time ends.
   */
  remove(id: string): boolean {
    this.#departed.forget(id)
    const rest = new Map(this.#members)
    if (!rest.delete(id)) return false
    this.#setMembers(rest)
    return true
  }

  /**
   * Ends a drain that is under way, whatever the state.
   * @throws OptionError for an unknown id or state.
   */
  setState(id: string, state: AdminState): void {
    if (!ADMIN_STATES.includes(state))
      throw new OptionError('state', state, `one of ${ADMIN_STATES.join(', ')}`)
    const member = this.#member(id)
    this.#drains.get(member)?.cancel()
    this.#command(member, state)
    this.#tellWatchers()
    this.#changed()
  }

  /** @throws OptionError for an unknown id, or a weight that is not 0 to 256. */
  setWeight(id: string, weight: number): void {
    this.#member(id).weight = parseWeight('weight', weight)
    this.#changed()
  }

  /** @throws OptionError for an unknown id. */
  setBackup(id: string, backup: boolean): void {
    this.#member(id).backup = backup
    this.#changed()
  }

  /**
   * @param maxInFlight 0: no limit; undefined: the pool's default
   * @throws OptionError for an unknown id or an invalid number.
   */
  setMaxInFlight(id: string, maxInFlight: number | undefined): void {
    const member = this.#member(id)
    member.limit(
      maxInFlight === undefined ? undefined : parseOption(MAX_IN_FLIGHT, 'maxInFlight', maxInFlight),
    )
    this.#changed()
  }

  /**
   * Records an observation of a backend's health, as a health check does. An unhealthy backend takes no request.
   * @param reason for the log
   * @throws OptionError for an unknown id.
   */
  setHealthy(id: string, healthy: boolean, reason?: string): void {
    const member = this.#member(id)
    if (!member.observe(healthy)) return
    this.#healthChanged(member, 'check', reason)
    if (!healthy) member.foundDown()
  }

  /**
   * Drains a backend: it keeps its sessions and takes no new one, until none is left or the deadline has passed.
   * Remaining sessions then move. The backend goes into maintenance, and can be stopped.
   * @throws OptionError for an unknown id, or a wrong option.
   */
  drain(id: string, options?: DrainOptions): Drain {
    const member = this.#member(id)
    const deadlineMs = parseDrain(options)
    this.setState(id, 'drain')
    const drain = new Drain(this.#draining(member), deadlineMs)
    this.#drains.set(member, drain)
    return drain
  }

  /** Asks requests and tunnels without an end of their own, at all backends, to end now: the gateway shuts down. */
  recall(): void {
    for (const member of this.#backends) member.recall()
  }

  /** Live sessions that are tied to a backend, as far as this process has seen them; undefined when not counted. */
  sessionsOf(id: string): number | undefined {
    return this.#sessionsOf(id)
  }

  /** @param sessionsOf the counter of live sessions */
  countSessionsWith(sessionsOf: (id: string) => number | undefined): void {
    this.#sessionsOf = sessionsOf
  }

  /** Calls `watcher` when membership or a commanded state may have changed, until the function that it returns is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Counts a request in at a backend, which stays the one that is counted though it may be removed meanwhile. */
  hold(view: BackendView): Hold {
    if (!(view instanceof Member)) throw new TypeError(`backend ${view.backend.id} is not of a pool`)
    return view.hold()
  }

  #member(id: string): Member {
    const member = this.#members.get(id)
    if (member === undefined) throw new OptionError('id', id, 'the id of a backend of the pool')
    return member
  }

  #membersOf(backends: readonly BackendOptions[]): Map<string, Member> {
    const next = new Map<string, Member>()
    // All of it is checked before any of it is done: a wrong list changes nothing.
    for (const parsed of parseBackends('backends', backends)) {
      const known = this.#members.get(parsed.id)
      const stays = known !== undefined && known.backend.url.href === parsed.url.href
      if (stays) this.#configure(known, parsed)
      next.set(parsed.id, stays ? known : new Member(parsed, this.#context))
    }
    return next
  }

  #setMembers(members: Map<string, Member>): void {
    const before = this.#backends
    this.#members = members
    this.#backends = [...members.values()]
    this.#departed.forgetAll(members)
    for (const member of before) {
      if (members.get(member.backend.id) !== member) this.#drains.get(member)?.cancel()
    }
    this.#events.membersChanged(before, this.#backends)
    this.#tellWatchers()
    this.#changed()
  }

  #tellWatchers(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #configure(member: Member, parsed: ParsedBackend): void {
    member.configure(parsed)
    this.#command(member, parsed.state)
  }

  #command(member: Member, state: AdminState): void {
    if (member.state === state) return
    this.#drains.get(member)?.cancel()
    member.command(state)
    this.#events.stateChanged(member)
  }

  #draining(member: Member): Draining {
    return {
      inFlight: () => member.inFlight,
      sessions: () => this.sessionsOf(member.backend.id),
      leave: () => {
        member.command('maint')
        this.#events.stateChanged(member)
        this.#tellWatchers()
        this.#changed()
      },
      recall: () => member.recall(),
      ended: result => {
        this.#drains.delete(member)
        this.#events.drained(member, result)
      },
    }
  }

  #changed(): void {
    this.#aliases = undefined
    this.#lists.stale()
    if (this.queue.size > 0) this.queue.changed()
  }

  #freed(member: Member): void {
    if (this.queue.size > 0) this.queue.freed(member)
    if (member.inFlight === 0 && this.#drains.size > 0) this.#drains.get(member)?.check()
  }

  /**
   * Requests alone take out at most half of the backends, and none unless another backend does better. When all are
   * silent, using fewer of them gains nothing, and the ejected ones may as well be tried again.
   */
  #mayTakeOut(member: Member): boolean {
    const others = this.#backends.filter(other => other !== member)
    const out = others.filter(({ passive }) => passive?.isOut === true)
    if (others.some(({ isUsable, passive }) => isUsable && passive?.isWell === true))
      return 2 * (out.length + 1) <= this.#backends.length
    for (const other of out) other.readmit()
    return false
  }

  #healthChanged(member: Member, by: HealthWitness, reason?: string): void {
    this.#events.healthChanged(member, by, reason)
    this.#changed()
  }
}
