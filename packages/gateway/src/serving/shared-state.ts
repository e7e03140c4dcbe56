import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, Secret } from '@limpet/core'
import type * as Redis from '@limpet/redis'
import type { StoreConfig } from '../config/config.ts'
import { redisPackage } from '../config/redis-package.ts'

/** Time for the commands of other gateways to arrive before this one listens. */
const READY_MS = 2_000

/** The state that this process shares with other processes and gateways: learned sessions, and operators' commands. */
export class SharedState {
  readonly store: Redis.RedisStore
  readonly #redis: typeof Redis
  readonly #config: StoreConfig

  constructor(config: StoreConfig) {
    this.#redis = redisPackage()
    this.#config = config
    this.store = this.#redis.redisStore(config)
  }

  /** Shares the commands about a pool, until the result is closed. @param secrets those of the pool */
  join(pool: Pool, secrets: readonly Secret[]): Redis.RedisFleet {
    const { url, prefix } = this.#config
    return this.#redis.redisFleet(pool, { url, prefix, secrets })
  }

  async close(): Promise<void> {
    await this.store.close()
  }
}

/** Resolves when the commands that are there were taken over, or after 2 s. */
export async function untilJoined(fleets: readonly Redis.RedisFleet[]): Promise<void> {
  if (fleets.length === 0) return
  const late = new AbortController()
  const ready = Promise.all(fleets.map(async fleet => fleet.ready))
  await Promise.race([ready, delay(READY_MS, undefined, { signal: late.signal })])
  late.abort()
}
