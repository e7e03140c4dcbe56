import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, Secret, SharedStore } from '@limpet/core'
import type * as Redis from '@limpet/redis'
import type { StoreConfig } from '../config/config.ts'
import { redisPackage } from '../config/redis-package.ts'
import type { LearnedTables } from './learned-stores.ts'
import type { WorkerSessions } from '../sharing/worker-sessions.ts'

/** How long a start waits for sessions. A refusal by Redis ends this wait, so only a slow process or machine needs it all. */
const SESSIONS_MS = 10_000
/** How long it then waits for operators' commands. A refusal does not end this wait: Redis may be about to start. */
const COMMANDS_MS = 2_000

/** The state that this process shares with other processes: learned sessions, and perhaps operators' commands. */
export interface SharedState {
  /** Resolves when the learned sessions of other processes are here, or can be asked for. */
  readonly loaded: Promise<void>
  /** A store of learned sessions. @param maxEntries sessions that each process remembers at most */
  storeOf(maxEntries: number | undefined): SharedStore
  /** Shares the commands about a pool, until the result is closed. @param secrets those of the pool */
  join(pool: Pool, secrets: readonly Secret[]): Redis.RedisFleet | undefined
  /** Goes on with these tables of learned sessions alone, at these sizes. */
  retain(tables: LearnedTables): void
  close(): Promise<void>
}

/** The state that gateways share in Redis. */
export class RedisState implements SharedState {
  readonly #store: Redis.RedisStore
  readonly #redis: typeof Redis
  readonly #config: StoreConfig

  constructor(config: StoreConfig) {
    this.#redis = redisPackage()
    this.#config = config
    this.#store = this.#redis.redisStore(config)
  }

  /** Redis can be asked, which is as good as having the sessions. */
  get loaded(): Promise<void> {
    return this.#store.ready
  }

  storeOf(): SharedStore {
    return this.#store
  }

  join(pool: Pool, secrets: readonly Secret[]): Redis.RedisFleet {
    const { deadline: _deadline, maxEntries: _maxEntries, ...connection } = this.#config
    return this.#redis.redisFleet(pool, { ...connection, secrets })
  }

  /** Redis forgets sessions by itself. */
  retain(): void {}

  async close(): Promise<void> {
    await this.#store.close()
  }
}

/** The state that the workers of one gateway share. Operators' commands come from their parent, as orders. */
export class WorkersState implements SharedState {
  readonly #sessions: WorkerSessions

  constructor(sessions: WorkerSessions) {
    this.#sessions = sessions
  }

  get loaded(): Promise<void> {
    return this.#sessions.loaded
  }

  storeOf(maxEntries: number | undefined): SharedStore {
    return this.#sessions.storeOf(maxEntries)
  }

  join(): undefined {}

  retain(tables: LearnedTables): void {
    this.#sessions.retain(tables)
  }

  /** Changes of the last moment. */
  async close(): Promise<void> {
    this.#sessions.flush()
  }
}

/** State of other processes, on its way to this one. */
interface Arriving {
  /** Learned sessions and results of checks, from the parent or from Redis. They resolve when Redis refuses. */
  readonly sessions: readonly Promise<void>[]
  /** Commands of operators, from Redis. They do not resolve while Redis refuses. */
  readonly commands: readonly Promise<void>[]
}

/** Resolves when all of it has arrived, or after 10 s for the sessions and 2 s more for the commands. */
export async function untilThere({ sessions, commands }: Arriving): Promise<void> {
  await atMost(SESSIONS_MS, sessions)
  await atMost(COMMANDS_MS, commands)
}

async function atMost(ms: number, arriving: readonly Promise<void>[]): Promise<void> {
  const late = new AbortController()
  await Promise.race([
    Promise.all(arriving),
    delay(ms, undefined, { signal: late.signal }).catch(() => undefined),
  ])
  late.abort()
}
