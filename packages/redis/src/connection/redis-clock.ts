import type { Client } from './connection.ts'

/**
 * The clock of Redis, which all gateways share. Between two readings the monotonic clock of this process goes on with it,
 * so it makes no difference when the clock of a gateway is wrong, or is set.
 */
export class RedisClock {
  /** The time of this process at the start of its monotonic clock, which is used until Redis is asked. */
  readonly #ownMs = Date.now() - performance.now()
  /** The same by the clock of Redis; undefined: Redis was never asked. */
  #redisMs: number | undefined

  /** Milliseconds since the epoch. */
  nowMs(): number {
    return (this.#redisMs ?? this.#ownMs) + performance.now()
  }

  /** How much later the time of Redis is than times that were taken before Redis was asked; undefined until then. */
  get aheadMs(): number | undefined {
    return this.#redisMs === undefined ? undefined : this.#redisMs - this.#ownMs
  }

  async read(client: Client): Promise<void> {
    const [seconds, micros] = await client.time()
    this.#redisMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - performance.now()
  }
}
