import { setTimeout as delay } from 'node:timers/promises'
import {
  type Affinity,
  type CheckDuty,
  createAffinity,
  type Explanation,
  isAffinityError,
  type Pool,
  requestHead,
} from '@limpet/core'
import { AFFINITY_OPTION_KEYS, roundRobin } from '@limpet/core/adapter'
import { HEADER_EDITS, optionTable } from '@limpet/core/options'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import type { RedisFleet } from '@limpet/redis'
import { AdminError } from '../admin/admin-error.ts'
import type { AdapterName, PoolConfig } from '../config/config.ts'
import { keepLearned, type LearnedStores } from './learned-stores.ts'
import { type ParsedQuestion, requestOf } from '../explaining/question.ts'
import { type PoolApp, startPoolApp } from './pool-app.ts'
import { type PoolMember, restoreMembers } from '../reload/pool-members.ts'
import { changeBackends, takeOver } from '../reload/takeover.ts'
import type { SharedState } from './shared-state.ts'

/** Wraps an affinity, to observe it. */
export type Observe = (affinity: Affinity) => Affinity

const AFFINITY_KEYS: ReadonlySet<string> = new Set(AFFINITY_OPTION_KEYS)
const LOOK_MS = 100
/** The edits that are made before a backend is chosen. */
const EDITS = optionTable({ requestHeaders: HEADER_EDITS })

interface Kept {
  readonly learned: LearnedStores
  readonly fleet: RedisFleet | undefined
}

/** The state around a pool that starts. */
interface PoolSurroundings {
  /**
   * The state to take over: a replaced pool, with the health of its backends, operators' commands and learned sessions;
   * or the members from another process.
   */
  readonly known: ServedPool | readonly PoolMember[] | undefined
  /** The state that other processes share. */
  readonly shared: SharedState | undefined
  /** Which process checks the backends; undefined: this one. */
  readonly duty: CheckDuty | undefined
  /** Where the turns of `round-robin` begin, from 0 to below 1. */
  readonly turnsFrom: number
}

/** A pool that is being served. */
export class ServedPool {
  readonly name: string
  readonly affinity: Affinity
  readonly app: PoolApp
  /** The commands of operators that other gateways share. */
  readonly fleet: RedisFleet | undefined
  readonly #learned: LearnedStores
  #config: PoolConfig

  private constructor(config: PoolConfig, affinity: Affinity, app: PoolApp, { learned, fleet }: Kept) {
    this.name = config.name
    this.affinity = affinity
    this.app = app
    this.fleet = fleet
    this.#learned = learned
    this.#config = config
  }

  get pool(): Pool {
    return this.affinity.pool
  }

  static async start(
    adapter: AdapterName,
    config: PoolConfig,
    observe: Observe,
    { known, shared, duty, turnsFrom }: PoolSurroundings,
  ): Promise<ServedPool> {
    const { policies, learned } = keepLearned(
      config.options.affinity,
      known instanceof ServedPool ? known.#learned : undefined,
      shared && (maxEntries => shared.storeOf(maxEntries)),
    )
    const entries = Object.entries(config.options)
    const ofAffinity = Object.fromEntries(entries.filter(([key]) => AFFINITY_KEYS.has(key)))
    const ofTransport = Object.fromEntries(entries.filter(([key]) => !AFFINITY_KEYS.has(key)))
    const affinity = createAffinity({
      backends: [],
      ...ofAffinity,
      ...((config.options.balance ?? 'round-robin') === 'round-robin' && { balance: roundRobin(turnsFrom) }),
      ...(policies !== undefined && { affinity: policies }),
    })
    if (known instanceof ServedPool)
      takeOver(affinity.pool, config, { pool: known.pool, config: known.#config })
    else if (known !== undefined) restoreMembers(affinity.pool, known)
    if (duty !== undefined) affinity.pool.shareChecks(duty)
    const app = await startPoolApp(adapter, {
      ...(ofTransport as object as HttpProxyOptions),
      use: observe(affinity),
      // The event log has the changes of all pools.
      logger: false,
    })
    const fleet = shared?.join(affinity.pool, config.options.secrets ?? [])
    return new ServedPool(config, affinity, app, { learned, fleet })
  }

  /**
   * Explains why the request of a question would get its backend, with the edits that are made before it is chosen.
   * @throws AdminError for a request that cannot be
   */
  async explain(question: ParsedQuestion): Promise<Explanation> {
    const request = requestOf(question, this.affinity.cookies[0]?.name ?? '')
    const { requestHeaders } = EDITS.parse('', { requestHeaders: this.#config.options.requestHeaders })
    try {
      return await this.affinity.explain(requestHead(request, undefined, requestHeaders))
    } catch (error) {
      if (isAffinityError(error)) throw new AdminError(400, 'BAD_REQUEST', error.message)
      throw error
    }
  }

  /** Whether a request's backend depends on the number of requests in flight at it. */
  get comparesLoads(): boolean {
    const { balance } = this.#config.options
    if (balance === 'least-requests' || balance === 'random-two') return true
    return (
      this.pool.backends.some(({ maxInFlight }) => maxInFlight > 0) ||
      (this.#config.options.maxInFlight ?? 0) > 0
    )
  }

  /** Whether `config` is another in its backends at most, which can be changed while it is served. */
  canBecome({ signature }: PoolConfig): boolean {
    return signature === this.#config.signature
  }

  become(config: PoolConfig): void {
    changeBackends(this.pool, this.#config, config)
    this.fleet?.apply()
    this.#config = config
  }

  /** Makes `members` those of the pool. Newer commands of other gateways stay. */
  restore(members: readonly PoolMember[]): void {
    restoreMembers(this.pool, members)
    this.fleet?.apply()
  }

  async close(): Promise<void> {
    this.fleet?.close()
    await this.app.close()
  }

  /** Ends when all that is in flight, or waits, has ended: tunnels, too, as if nothing had been changed. */
  async retire(): Promise<void> {
    // The pool in its place has the commands that come from now on.
    this.fleet?.close()
    // Some may be on their way from the server to the pool.
    do await delay(LOOK_MS, undefined, { ref: false })
    while (this.pool.inFlight + this.pool.queued > 0)
    await this.app.close()
  }
}
