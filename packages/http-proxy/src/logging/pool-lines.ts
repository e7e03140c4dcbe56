import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type {
  ConnectedEvent,
  DiscoveryFailedEvent,
  DiscoveryRecoveredEvent,
  DrainedEvent,
  FailedEvent,
  HealthChangedEvent,
  MembersChangedEvent,
  PolicyFailedEvent,
  Pool,
  RefusedEvent,
  StateChangedEvent,
} from '@limpet/core'
import type { Logger } from './logger.ts'

/** Between two lines about a policy that fails: its channel does not say when it works again. */
const POLICY_PAUSE_MS = 60_000

const CONNECTED = 'limpet:connected'

/** Writes the changes of a pool to its log, one line for each. Events come from the diagnostics channels. */
export class PoolLines {
  /** All pools of the name: events tell no more of a pool than that. */
  readonly pools = new Set<Pool>()
  readonly #name: string
  readonly #logger: Logger
  /** Backends that refuse connections, and that no health check watches. */
  readonly #unreachable = new Set<string>()
  readonly #failingSources = new Set<string>()
  readonly #policyToldMs = new Map<string, number>()
  #isEmpty = false
  /** Listened to only while a backend is unreachable: the channel has an event for each request. */
  readonly #onConnected = (event: unknown): void => this.#connected(event as ConnectedEvent)

  constructor(name: string, logger: Logger) {
    this.#name = name
    this.#logger = logger
  }

  healthChanged({ backend, healthy, by, reason }: HealthChangedEvent): void {
    this.#forget(backend)
    const why = reason === undefined ? WITNESSES[by] : `${WITNESSES[by]}: ${reason}`
    if (healthy) this.#info(`backend ${backend} is up again (${why})`)
    else this.#warn(`backend ${backend} is down (${why})`)
    this.#checkEmpty()
  }

  /** Only a failed connection is the backend's alone; other failures may be the request's doing. */
  failed({ backend, failure }: FailedEvent): void {
    if (failure.kind !== 'unreached' || this.#unreachable.has(backend)) return
    if (![...this.pools].some(pool => pool.find(backend)?.healthy === true)) return
    if (this.#unreachable.size === 0) subscribe(CONNECTED, this.#onConnected)
    this.#unreachable.add(backend)
    this.#warn(`backend ${backend} cannot be reached: ${causeOf(failure.cause)}`)
  }

  close(): void {
    unsubscribe(CONNECTED, this.#onConnected)
  }

  stateChanged({ backend, state }: StateChangedEvent): void {
    this.#info(`backend ${backend} ${STATES[state] ?? state}`)
    this.#checkEmpty()
  }

  drained({ backend, outcome, inFlight, sessions }: DrainedEvent): void {
    const left = `${inFlight} requests${sessions === undefined ? '' : ` and ${sessions} sessions`} left`
    this.#info(`the drain of backend ${backend} has ended: ${outcome}, ${left}`)
  }

  membersChanged({ added, removed }: MembersChangedEvent): void {
    for (const id of removed) this.#forget(id)
    const parts = [
      ...(added.length > 0 ? [`added: ${added.join(', ')}`] : []),
      ...(removed.length > 0 ? [`removed: ${removed.join(', ')}`] : []),
    ]
    this.#info(`backends ${parts.join('; ')}`)
    this.#checkEmpty()
  }

  refused({ code }: RefusedEvent): void {
    if (code === 'ERR_NO_BACKEND') this.#checkEmpty()
  }

  discoveryFailed({ name, error }: DiscoveryFailedEvent): void {
    if (this.#failingSources.has(name)) return
    this.#failingSources.add(name)
    this.#warn(`discovery ${name} fails, the known backends stay: ${causeOf(error)}`)
  }

  discoveryRecovered({ name }: DiscoveryRecoveredEvent): void {
    if (this.#failingSources.delete(name)) this.#info(`discovery ${name} works again`)
  }

  policyFailed({ policy, error }: PolicyFailedEvent): void {
    const nowMs = performance.now()
    const toldMs = this.#policyToldMs.get(policy)
    if (toldMs !== undefined && nowMs - toldMs < POLICY_PAUSE_MS) return
    this.#policyToldMs.set(policy, nowMs)
    this.#warn(`policy ${policy} fails, and requests go on without it: ${causeOf(error)}`)
  }

  redisState({ state, reason }: { readonly state: string; readonly reason?: string | undefined }): void {
    if (state === 'up') this.#info('Redis is up')
    else this.#warn(`Redis is ${state}: ${reason}`)
  }

  #connected({ pool, backend }: ConnectedEvent): void {
    if (pool === this.#name && this.#forget(backend)) this.#info(`backend ${backend} is reached again`)
  }

  /** @returns whether it was unreachable */
  #forget(backend: string): boolean {
    const wasUnreachable = this.#unreachable.delete(backend)
    if (wasUnreachable && this.#unreachable.size === 0) unsubscribe(CONNECTED, this.#onConnected)
    return wasUnreachable
  }

  #checkEmpty(): void {
    const isEmpty = ![...this.pools].some(pool => pool.backends.some(view => view.isUsable))
    if (isEmpty === this.#isEmpty) return
    this.#isEmpty = isEmpty
    if (isEmpty) this.#logger.error(this.#line('no backend is available: requests get 503'))
    else this.#info('a backend is available again')
  }

  #info(text: string): void {
    this.#logger.info(this.#line(text))
  }

  #warn(text: string): void {
    this.#logger.warn(this.#line(text))
  }

  #line(text: string): string {
    return `limpet: pool ${this.#name}: ${text}`
  }
}

const WITNESSES: Readonly<Record<HealthChangedEvent['by'], string>> = {
  check: 'health check',
  requests: 'requests',
  discovery: 'discovery',
}

const STATES: Readonly<Record<string, string>> = {
  ready: 'is ready',
  drain: 'drains: it keeps its sessions and takes no new ones',
  maint: 'is in maintenance',
}

/** Errors of the network tell most by their code; text from elsewhere must not begin a line of its own. */
function causeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'an unknown error'
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const text = code === '' || cause.message.includes(code) ? cause.message : `${code} ${cause.message}`
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 300)
}
