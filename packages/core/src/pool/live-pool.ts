import {
  ADMIN_STATES,
  type AdminState,
  type Backend,
  type BackendOptions,
  MAX_IN_FLIGHT,
  parseWeight,
} from './backend.ts'
import type { BackendView, Hold } from './backend-view.ts'
import { CandidateLists, type Candidates, chooseCandidates } from './candidates.ts'
import type { CheckResult, CountedConnection, MoveReason } from '../counts/backend-counts.ts'
import type { CheckDuty } from './check-duty.ts'
import { PoolCounts } from '../counts/pool-counts.ts'
import type { Discovered } from './discovered.ts'
import { type Drain, type DrainOptions, parseDrain } from './drain.ts'
import { Drains } from './drains.ts'
import { mayEject } from './ejection-limit.ts'
import { type LiveSessions, type SessionCounter, SessionCounters } from './live-sessions.ts'
import { Member, type MemberContext } from './member.ts'
import { Membership } from './membership.ts'
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
  readonly #members: Membership
  readonly #lists: CandidateLists
  readonly #drains: Drains
  readonly #events: PoolEvents
  readonly #watchers = new Set<() => void>()
  #checkDuty: CheckDuty | undefined

  /** @throws OptionError for a malformed backend, or an id that stands twice. */
  constructor(name: string, backends: readonly BackendOptions[], settings: Partial<PoolSettings> = {}) {
    const { maxQueue, removedGraceMs, ...rest } = { ...POOL_SETTINGS, ...settings }
    this.name = name
    this.#events = new PoolEvents(name)
    this.#lists = new CandidateLists(rest.now)
    this.#counts = new PoolCounts(rest.now())
    this.#drains = new Drains({
      events: this.#events,
      sessionsOf: id => this.sessionsOf(id),
      liveSessions: id => this.liveSessions(id),
      changed: () => this.#commanded(),
      nowMs: () => this.nowMs,
    })
    this.queue = new WaitQueue(maxQueue, () =>
      Math.min(this.#lists.dueInMs(this.#members.list), this.#members.departedDueInMs()),
    )
    this.#context = {
      ...rest,
      inFlight: 0,
      requests: 0,
      stale: () => this.#lists.stale(),
      healthChanged: member => this.#healthChanged(member, 'requests'),
      mayTakeOut: member => mayEject(member, this.#members.list),
      freed: member => this.#freed(member),
    }
    this.#members = new Membership(
      {
        context: this.#context,
        events: this.#events,
        drains: this.#drains,
        turned: member => this.#turned(member, 'discovery'),
        commanded: () => this.#commanded(),
      },
      backends,
      removedGraceMs,
    )
  }

  get backends(): readonly BackendView[] {
    return this.#members.list
  }

  get members(): readonly Member[] {
    return this.#members.list
  }

  get departed(): readonly BackendView[] {
    return this.#members.departed
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
    return this.#members.findDeparted(id)
  }

  named(word: string): BackendView | undefined {
    return this.#members.named(word)
  }

  replace(backends: readonly BackendOptions[], discovered?: ReadonlyMap<string, Discovered>): void {
    this.#members.replace(backends, discovered)
  }

  takeOver(before: Pool): void {
    if (!(before instanceof LivePool)) throw new TypeError('takeOver() takes the pool of another affinity')
    this.#context.requests = before.#context.requests
    this.#counts = before.#counts
    this.#members.takeOver(before.#members)
    this.#drains.takeOver(before.#drains, id => this.#members.find(id))
    this.#changed()
  }

  add(backend: BackendOptions): BackendView {
    return this.#members.add(backend)
  }

  remove(id: string): boolean {
    return this.#members.remove(id)
  }

  setState(id: string, state: AdminState): void {
    if (!ADMIN_STATES.includes(state))
      throw new OptionError('state', state, `one of ${ADMIN_STATES.join(', ')}`)
    const member = this.#members.get(id)
    this.#drains.cancel(member)
    this.#drains.command(member, state)
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
    this.#turned(member, 'check', reason)
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

  setElsewhere(id: string, inFlight: number): void {
    const member = this.#members.get(id)
    const isFreed = inFlight < member.elsewhere
    member.elsewhere = inFlight
    if (isFreed && this.queue.size > 0) this.queue.changed()
  }

  get checkDuty(): CheckDuty | undefined {
    return this.#checkDuty
  }

  shareChecks(duty: CheckDuty): void {
    this.#checkDuty = duty
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

  /** A witness beside the requests has changed whether `member` is healthy. */
  #turned(member: Member, by: HealthWitness, reason?: string): void {
    this.#healthChanged(member, by, reason)
    if (!member.healthy) member.foundDown()
  }

  #healthChanged(member: Member, by: HealthWitness, reason?: string): void {
    member.counts.turned(member.healthy, this.nowMs)
    this.#events.healthChanged(member, by, reason)
    this.#changed()
  }
}
