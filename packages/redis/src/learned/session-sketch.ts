import type { Connection } from '../connection/connection.ts'
import type { RedisClock } from '../connection/redis-clock.ts'
import { within } from '../connection/within.ts'

/** A session's life is counted in this many slices. */
const SLICES = 10
const FLUSH_MS = 1_000
const TIMEOUT_MS = 1_000
/** Sessions of one second that are kept while the store cannot be asked. */
const MAX_PENDING = 100_000

/**
 * Counts the live sessions of the whole fleet: one HyperLogLog for each backend and slice of a session's life, at most
 * 12 KB each, with an error of 0.8 %. Every session that this process writes or renews is added once a second.
 * A session that has ended or moved counts at its backend until its life would have been over.
 */
export class SessionSketch {
  readonly #connection: Connection
  readonly #prefix: string
  /** The slices are those of the server's clock. */
  readonly #clock: RedisClock
  readonly #ttlMs: number
  #pending = new Map<string, Set<string>>()
  #size = 0
  readonly #timer: NodeJS.Timeout

  /**
   * @param prefix of its keys
   * @param ttlMs of a session
   */
  constructor(connection: Connection, prefix: string, ttlMs: number, clock: RedisClock) {
    this.#connection = connection
    this.#prefix = prefix
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref()
  }

  /** A session of the backend of this tag goes on. */
  add(tag: string, sessionName: string): void {
    if (this.#size >= MAX_PENDING) return
    let names = this.#pending.get(tag)
    if (names === undefined) this.#pending.set(tag, (names = new Set()))
    names.add(sessionName)
    this.#size += 1
  }

  async flush(): Promise<void> {
    const { client } = this.#connection
    if (client === undefined || this.#size === 0) return
    const pending = this.#pending
    this.#pending = new Map()
    this.#size = 0
    const slice = this.#slice()
    const lifeMs = Math.ceil(this.#ttlMs * (1 + 2 / SLICES))
    try {
      await within(
        TIMEOUT_MS,
        Promise.all(
          [...pending].map(async ([tag, names]) => {
            const key = this.#key(tag, slice)
            await Promise.all([client.pfAdd(key, [...names]), client.pExpire(key, lifeMs)])
          }),
        ),
      )
    } catch {
      // The state of the connection says so. These sessions count again with their next renewal.
    }
  }

  /** Live sessions of the backends of these tags. Rejects when the store does not respond. */
  async count(tags: readonly string[]): Promise<number> {
    const { client } = this.#connection
    if (client === undefined) throw new Error('the store cannot be asked')
    await this.flush()
    const now = this.#slice()
    const keys = tags.flatMap(tag =>
      Array.from({ length: SLICES + 1 }, (_, back) => this.#key(tag, now - back)),
    )
    return within(TIMEOUT_MS, client.pfCount(keys))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #slice(): number {
    return Math.floor(this.#clock.nowMs() / this.#sliceMs)
  }

  get #sliceMs(): number {
    return Math.max(1, Math.ceil(this.#ttlMs / SLICES))
  }

  /** The length of a slice is part of it: a gateway that is configured anew starts afresh. */
  #key(tag: string, slice: number): string {
    return `${this.#prefix}${tag}:${this.#sliceMs}:${slice}`
  }
}
