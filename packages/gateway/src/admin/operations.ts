import {
  type BackendOptions,
  type DrainOptions,
  type Explanation,
  OptionError,
  type Pool,
} from '@limpet/core'
import type { RedisFleet } from '@limpet/redis'
import type { EndingPool } from '@limpet/stats'
import { AdminError } from './admin-error.ts'
import { allowsBackend } from './allowed-backends.ts'
import { type ParsedQuestion, parseQuestion } from '../explaining/question.ts'
import type { Gateway } from '../serving/gateway.ts'
import type { Logs } from '../logging/log.ts'
import type { ServedPool } from '../serving/served-pool.ts'
import type { FleetBackend, Pools } from '../workers/merge-figures.ts'

/** An operator's change of a pool. The bodies are not parsed yet. */
export type Operation =
  | { readonly what: 'add'; readonly pool: string; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly what: 'change'
      readonly pool: string
      readonly id: string
      readonly body: Readonly<Record<string, unknown>>
    }
  | { readonly what: 'remove'; readonly pool: string; readonly id: string }

/** The operations on a gateway, of one process or several. */
export interface Operations {
  readonly isEnding: boolean
  /** Whether a process is there that takes requests. */
  readonly isReady: boolean
  stats(): Promise<Pools>
  /** Pools that a reload has replaced, and that have requests left. Workers that have one name one each. */
  ending(): Promise<readonly EndingPool[]>
  /** How many lines of the log were dropped, since the start. */
  logDropped(): Promise<number>
  /**
   * Explains why a request would get its backend, and sends nothing. Of several workers one tells: turns of a balancer
   * and health checks are each worker's own.
   * @throws AdminError for a question that is malformed, or about a pool or a route that there is not
   */
  explain(question: Readonly<Record<string, unknown>>): Promise<Explanation>
  /**
   * Returns the backend after the change; undefined when the backend was removed.
   * @throws AdminError for an operation that is not possible; then nothing has changed
   */
  operate(operation: Operation): Promise<FleetBackend | undefined>
}

/** Commands to the members of a pool: of this process alone, or of all gateways that share them. */
type Commands = Pick<RedisFleet, 'setState' | 'setWeight' | 'remove'> & {
  add(backend: BackendOptions): unknown
  drain(id: string, options: DrainOptions): unknown
}

/** Those of a gateway in this process. */
export class GatewayOperations implements Operations {
  readonly #gateway: Gateway
  readonly #logs: Logs

  constructor(gateway: Gateway, logs: Logs) {
    this.#gateway = gateway
    this.#logs = logs
  }

  get isEnding(): boolean {
    return this.#gateway.isEnding
  }

  get isReady(): boolean {
    return true
  }

  async stats(): Promise<Pools> {
    return Object.fromEntries(
      Array.from(this.#gateway.pools.values(), served => [served.name, figuresOf(served)] as const),
    )
  }

  async ending(): Promise<readonly EndingPool[]> {
    return this.#gateway.ending
  }

  async logDropped(): Promise<number> {
    return this.#logs.dropped
  }

  async explain(body: Readonly<Record<string, unknown>>): Promise<Explanation> {
    return this.#gateway.explain(parsedQuestion(body))
  }

  /** @param isShared whether other gateways are to be told; of several workers, one tells them */
  async operate(operation: Operation, isShared = true): Promise<FleetBackend | undefined> {
    const served = this.#gateway.pools.get(operation.pool)
    if (served === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no pool ${operation.pool}`)
    const { pool } = served
    try {
      if (operation.what === 'add') this.#checkAllowed(operation.body['url'])
      const id = operate(pool, operation, (isShared ? served.fleet : undefined) ?? pool)
      return figuresOf(served).backends.find(backend => backend.id === id)
    } catch (error) {
      if (error instanceof OptionError) throw new AdminError(400, 'BAD_REQUEST', error.message)
      throw error
    }
  }

  /** A url that is none is the pool's to refuse. */
  #checkAllowed(url: unknown): void {
    if (typeof url !== 'string' || !URL.canParse(url)) return
    if (!allowsBackend(this.#gateway.config, new URL(url)))
      throw new AdminError(
        403,
        'BACKEND_NOT_ALLOWED',
        'no backend may be added at this url; admin.allowBackends of the file lists hosts and networks',
      )
  }
}

function figuresOf({ affinity, fleet }: ServedPool): Pools[string] {
  const figures = affinity.stats()
  if (fleet === undefined) return figures
  const backends = figures.backends.map((backend): FleetBackend => {
    const drain = fleet.drainOf(backend.id)
    return drain === undefined ? backend : { ...backend, fleet: drain }
  })
  return { ...figures, backends }
}

function parsedQuestion(body: unknown): ParsedQuestion {
  try {
    return parseQuestion(body)
  } catch (error) {
    if (error instanceof OptionError) throw new AdminError(400, 'BAD_REQUEST', error.message)
    throw error
  }
}

function operate(pool: Pool, operation: Operation, commands: Commands): string {
  switch (operation.what) {
    case 'add':
      return add(pool, operation.body, commands)
    case 'change':
      return change(pool, operation, commands)
    case 'remove': {
      const { id } = operation
      if (!commands.remove(id)) throw new AdminError(404, 'NOT_FOUND', `there is no backend ${id}`)
      return id
    }
  }
}

function add(pool: Pool, body: Readonly<Record<string, unknown>>, commands: Commands): string {
  const { id } = body
  if (typeof id === 'string' && pool.find(id) !== undefined)
    throw new AdminError(409, 'CONFLICT', `there is a backend ${id}`)
  commands.add(body as { id: string; url: string })
  return String(id)
}

function change(
  pool: Pool,
  { id, body }: { id: string; body: Readonly<Record<string, unknown>> },
  commands: Commands,
): string {
  const view = pool.find(id)
  if (view === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no backend ${id}`)
  const { state, weight } = body
  const unknown = Object.keys(body).find(key => !KNOWN.includes(key))
  if (unknown !== undefined)
    throw new AdminError(400, 'BAD_REQUEST', `${unknown} is not known; known are ${KNOWN.join(', ')}`)
  const drain = drainOf(body)
  if (state === undefined && weight === undefined)
    throw new AdminError(400, 'BAD_REQUEST', 'nothing to change: it takes state, weight or both')
  const before = view.weight
  if (weight !== undefined) commands.setWeight(id, weight as number)
  try {
    if (drain !== undefined) commands.drain(id, drain)
    else if (state !== undefined) commands.setState(id, state as 'ready')
  } catch (error) {
    // All of it or nothing.
    if (weight !== undefined) commands.setWeight(id, before)
    throw error
  }
  return id
}

const KNOWN: readonly string[] = ['state', 'weight', 'deadline', 'spread', 'then']

/** The options of a drain with an end; undefined: the change is no drain, or one without an end. */
function drainOf({
  state,
  deadline,
  spread,
  then,
}: Readonly<Record<string, unknown>>): DrainOptions | undefined {
  if (then !== undefined && then !== 'maint')
    throw new AdminError(400, 'BAD_REQUEST', 'then takes "maint", in which every drain with a deadline ends')
  const times = Object.entries({ deadline, spread }).filter(([, value]) => value !== undefined)
  for (const [key, value] of times) {
    if (typeof value === 'number' && value !== 0)
      throw new AdminError(
        400,
        'BAD_REQUEST',
        `${key} is a number without a unit; it takes a text such as "10m"`,
      )
  }
  if (times.length === 0 && then === undefined) return undefined
  if (state !== 'drain')
    throw new AdminError(400, 'BAD_REQUEST', 'deadline, spread and then need "state": "drain"')
  return Object.fromEntries(times)
}
