import {
  ADMIN_STATES,
  type AdminState,
  type Backend,
  type BackendOptions,
  parseBackend,
  parseWeight,
} from './backend.ts'
import { OptionError, optionList } from './option.ts'

/**
 * A backend as the pool knows it now: live, and read-only to everyone but the pool.
 * Two facts stay apart: what an operator commanded (`state`), and what was observed (`healthy`).
 */
export interface BackendView {
  readonly backend: Backend
  readonly state: AdminState
  readonly healthy: boolean
  readonly weight: number
  /** Requests that hold it now. */
  readonly inFlight: number
  /** Requests that ever held it. */
  readonly requests: number
  /** Requests that it did not answer, or not to the end. */
  readonly failures: number
}

/** One request's place in a backend's counts. */
export interface Hold {
  /** To be called once, when the request no longer holds the backend. */
  release(): void
  /** The backend did not answer this request, or not to the end. */
  countFailure(): void
}

/** What the members of a pool count together. */
interface PoolCounts {
  inFlight: number
}

class Member implements BackendView, Hold {
  readonly backend: Backend
  readonly #counts: PoolCounts
  state: AdminState
  weight: number
  healthy = true
  inFlight = 0
  requests = 0
  failures = 0

  constructor(backend: Backend, weight: number, state: AdminState, counts: PoolCounts) {
    this.backend = backend
    this.#counts = counts
    this.weight = weight
    this.state = state
  }

  hold(): this {
    this.inFlight += 1
    this.requests += 1
    this.#counts.inFlight += 1
    return this
  }

  release(): void {
    this.inFlight -= 1
    this.#counts.inFlight -= 1
  }

  countFailure(): void {
    this.failures += 1
  }
}

/**
 * Backends that may take a new session. The list is made anew whenever that changes and never edited,
 * so its identity tells a balancer whether what it has prepared is still true.
 */
export type Candidates = readonly BackendView[]

/** The set of backends, and all that changes about them. */
export class Pool {
  readonly name: string
  readonly #counts: PoolCounts = { inFlight: 0 }
  #members = new Map<string, Member>()
  #backends: readonly BackendView[] = []
  #candidates: Candidates | undefined
  readonly #watchers = new Set<() => void>()

  /** @throws OptionError for a malformed backend, or an id that stands twice. */
  constructor(name: string, backends: readonly BackendOptions[]) {
    this.name = name
    this.replace(backends)
  }

  /** Every member, in the order of configuration. A new list whenever membership changes. */
  get backends(): readonly BackendView[] {
    return this.#backends
  }

  /** Requests in flight at all backends, those that were removed meanwhile among them. */
  get inFlight(): number {
    return this.#counts.inFlight
  }

  get candidates(): Candidates {
    this.#candidates ??= chooseCandidates(this.#backends)
    return this.#candidates
  }

  /** The candidates there would be without `tried`: the draining ones, when no other is left. */
  candidatesBut(tried: readonly BackendView[]): Candidates {
    return chooseCandidates(this.#backends.filter(view => !tried.includes(view)))
  }

  find(id: string): BackendView | undefined {
    return this.#members.get(id)
  }

  /**
   * Makes `backends` the members. One that stays, by id and url, keeps its health and counts, and its
   * state and weight become those given. A known id with another url is another server: it starts afresh.
   */
  replace(backends: readonly BackendOptions[]): void {
    // All of it is checked before any of it is done: a wrong list changes nothing.
    const seen = new Set<string>()
    const given = optionList('backends', backends, 'a list of { id, url }').map((value, index) => {
      const path = `backends[${index}]`
      const parsed = parseBackend(path, value)
      if (seen.has(parsed.id))
        throw new OptionError(`${path}.id`, parsed.id, 'an id that no other backend of the pool has')
      seen.add(parsed.id)
      return parsed
    })
    const next = new Map<string, Member>()
    for (const { id, url, weight, state } of given) {
      const known = this.#members.get(id)
      const stays = known !== undefined && known.backend.url.href === url.href
      next.set(
        id,
        stays
          ? Object.assign(known, { weight, state })
          : new Member({ id, url }, weight, state, this.#counts),
      )
    }
    this.#setMembers(next)
  }

  /** @throws OptionError for a malformed backend, or an id that is taken. */
  add(backend: BackendOptions): BackendView {
    const { id, url, weight, state } = parseBackend('backend', backend)
    if (this.#members.has(id))
      throw new OptionError('backend.id', id, 'an id that no other backend of the pool has')
    const member = new Member({ id, url }, weight, state, this.#counts)
    this.#setMembers(new Map(this.#members).set(id, member))
    return member
  }

  /** Takes a backend out. What is in flight there finishes; its sessions are placed anew. False when there is none of this id. */
  remove(id: string): boolean {
    const rest = new Map(this.#members)
    if (!rest.delete(id)) return false
    this.#setMembers(rest)
    return true
  }

  /** @throws OptionError for an unknown id or state. */
  setState(id: string, state: AdminState): void {
    if (!ADMIN_STATES.includes(state))
      throw new OptionError('state', state, `one of ${ADMIN_STATES.join(', ')}`)
    this.#member(id).state = state
    this.#candidates = undefined
  }

  /** @throws OptionError for an unknown id, or a weight that is not 0 to 256. */
  setWeight(id: string, weight: number): void {
    this.#member(id).weight = parseWeight('weight', weight)
    this.#candidates = undefined
  }

  /**
   * What somebody observed of a backend, as a health check does. An unhealthy one serves nobody.
   * @throws OptionError for an unknown id.
   */
  setHealthy(id: string, healthy: boolean): void {
    this.#member(id).healthy = healthy
    this.#candidates = undefined
  }

  /** Calls `watcher` after each change of membership, until the function that it returns is called. */
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

  #setMembers(members: Map<string, Member>): void {
    this.#members = members
    this.#backends = [...members.values()]
    this.#candidates = undefined
    for (const watcher of this.#watchers) watcher()
  }
}

/** Whether a session that is tied to this backend may go on there: draining or not, whatever the weight. */
export function isUsable(view: BackendView): boolean {
  return view.healthy && view.state !== 'maint'
}

/** When nothing but draining backends is left, a new session is better off with one of them than with a 503. */
function chooseCandidates(backends: readonly BackendView[]): Candidates {
  const able = backends.filter(view => isUsable(view) && view.weight > 0)
  const ready = able.filter(view => view.state === 'ready')
  return ready.length > 0 ? ready : able
}
