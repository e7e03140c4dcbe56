import type { EndingPool } from '@limpet/stats'
import type { AdapterName, GatewayConfig, PoolConfig } from '../config/config.ts'
import { type Members, membersOf, type PoolMember } from '../reload/pool-members.ts'
import type { WorkerChecks } from '../sharing/worker-checks.ts'
import type { WorkerLoads } from '../sharing/worker-loads.ts'
import type { WorkerSessions } from '../sharing/worker-sessions.ts'
import { learnedTables } from './learned-stores.ts'
import { type Observe, ServedPool } from './served-pool.ts'
import { RedisState, type SharedState, untilThere, WorkersState } from './shared-state.ts'

/** The state that a worker shares with the others through their parent. */
export interface WorkerSharing {
  readonly sessions: WorkerSessions
  readonly checks: WorkerChecks
  readonly loads: WorkerLoads
  /** Where its turns of `round-robin` begin, from 0 to below 1: not where those of the others do. */
  readonly turnsFrom: number
}

/** New pools that have started, while the old ones still serve. */
interface PreparedPools {
  /** Serves with them from here on. */
  commit(): void
  /** Closes them. Nothing has changed. */
  abort(): Promise<void>
}

/** The pools of a gateway, with the state that they share with other processes. */
export class ServedPools {
  readonly #adapter: AdapterName
  readonly #observe: Observe
  readonly #shared: SharedState | undefined
  /** The health checks that workers share. */
  readonly #checks: WorkerChecks | undefined
  /** The requests in flight that workers share. */
  readonly #loads: WorkerLoads | undefined
  readonly #turnsFrom: number
  #configs: readonly PoolConfig[] = []
  #current: ReadonlyMap<string, ServedPool> = new Map()
  /** Those that a reload has replaced, and that have requests left. */
  readonly #retiring = new Set<ServedPool>()

  constructor(
    { adapter, store }: Pick<GatewayConfig, 'adapter' | 'store'>,
    observe: Observe,
    workers: WorkerSharing | undefined,
  ) {
    this.#adapter = adapter
    this.#observe = observe
    if (store !== undefined) this.#shared = new RedisState(store)
    else this.#shared = workers && new WorkersState(workers.sessions)
    this.#checks = workers?.checks
    this.#loads = workers?.loads
    this.#turnsFrom = workers?.turnsFrom ?? 0
  }

  /** Resolves when the pools can serve, with the state of other processes. @param members from another process */
  async start(configs: readonly PoolConfig[], members: Members): Promise<void> {
    this.#configs = configs
    this.#current = await this.#started(configs, name => members[name])
    this.#loads?.serve(this.#current)
    await untilThere({
      sessions: [this.#shared?.loaded ?? [], this.#checks?.loaded ?? []].flat(),
      commands: Array.from(this.#current.values(), ({ fleet }) => fleet?.ready ?? []).flat(),
    })
  }

  /** By their names. */
  get current(): ReadonlyMap<string, ServedPool> {
    return this.#current
  }

  /** Those that a reload has replaced, and that have requests left. */
  get ending(): readonly EndingPool[] {
    return Array.from(this.#retiring, ({ name, pool }) => ({ pool: name, inFlight: pool.inFlight }))
  }

  get members(): Members {
    return Object.fromEntries([...this.#current].map(([name, { pool }]) => [name, membersOf(pool)]))
  }

  /** Makes these the members of the pools. */
  restore(members: Members): void {
    for (const [name, served] of this.#current) {
      const known = members[name]
      if (known !== undefined) served.restore(known)
    }
  }

  /**
   * Starts the pools that are new, and those that take the place of others. Pools of which only the backends differ stay.
   * @throws Error when a pool cannot be started; then nothing has changed
   */
  async prepare(configs: readonly PoolConfig[]): Promise<PreparedPools> {
    const before = this.#current
    const replaced = configs.filter(pool => before.get(pool.name)?.canBecome(pool) !== true)
    const started = await this.#started(replaced, name => before.get(name))
    return {
      commit: () => this.#commit(configs, started),
      abort: async () => {
        await closeAll(started.values())
        this.#retain(this.#configs)
      },
    }
  }

  /** Asks requests and tunnels without an end of their own to end now. */
  recall(): void {
    for (const { pool } of this.#all()) pool.recall()
  }

  /** Closes the pools, and what they share. */
  async close(): Promise<void> {
    await closeAll(this.#all())
    await this.#shared?.close()
  }

  #all(): readonly ServedPool[] {
    return [...this.#current.values(), ...this.#retiring]
  }

  #commit(configs: readonly PoolConfig[], started: ReadonlyMap<string, ServedPool>): void {
    const before = this.#current
    for (const pool of configs) if (!started.has(pool.name)) before.get(pool.name)?.become(pool)
    this.#current = new Map(
      configs.flatMap(({ name }) => {
        const served = started.get(name) ?? before.get(name)
        return served === undefined ? [] : [[name, served] as const]
      }),
    )
    this.#configs = configs
    this.#loads?.serve(this.#current)
    this.#retain(configs)
    for (const served of before.values()) if (this.#current.get(served.name) !== served) this.#retire(served)
  }

  #retire(served: ServedPool): void {
    this.#retiring.add(served)
    void served.retire().then(() => this.#retiring.delete(served))
  }

  /** Shares the state of these pools alone with other processes. */
  #retain(configs: readonly PoolConfig[]): void {
    this.#shared?.retain(learnedTables(configs))
    const checked = configs.filter(({ options }) => options.health !== undefined)
    this.#checks?.retain(new Set(checked.map(({ name }) => name)))
  }

  /** @param known the state that each pool takes over, by its name */
  async #started(
    configs: readonly PoolConfig[],
    known: (name: string) => ServedPool | readonly PoolMember[] | undefined,
  ): Promise<ReadonlyMap<string, ServedPool>> {
    const started = new Map<string, ServedPool>()
    try {
      for (const pool of configs)
        started.set(
          pool.name,
          await ServedPool.start(this.#adapter, pool, this.#observe, {
            known: known(pool.name),
            shared: this.#shared,
            duty: pool.options.health === undefined ? undefined : this.#checks?.dutyOf(pool.name),
            turnsFrom: this.#turnsFrom,
          }),
        )
    } catch (error) {
      await closeAll(started.values())
      throw error
    }
    return started
  }
}

async function closeAll(served: Iterable<ServedPool>): Promise<void> {
  await Promise.all(Array.from(served, async pool => pool.close()))
}
