import type { OpenStore, SharedStore, StoreContext } from '@limpet/core'
import { duration, integer, type OptionsOf, optionTable } from '@limpet/core/options'
import {
  CONNECTION_OPTIONS,
  connectionProblems,
  redisOf,
  type RedisOptions,
} from './connection/redis-options.ts'
import { LearnedTable, type TableSettings } from './learned/learned-table.ts'
import { PREFIX } from './prefix.ts'

const REDIS_STORE_OPTIONS = optionTable(
  {
    ...CONNECTION_OPTIONS.options,
    /** First part of all keys. They are `PREFIX:{POOL}:…`. @default 'limpet' */
    prefix: PREFIX,
    /** Sessions that this process remembers at most, at 40 bytes each, so that a known one costs no round trip. @default 100000 */
    maxEntries: integer({ min: 1, max: 16_000_000, default: 100_000 }),
    /** How long a look-up may take; then the session counts as unknown. @default '50ms' */
    deadline: duration({ min: 1, default: '50ms' }),
    /** Writes that are kept while Redis does not take them; then the oldest is dropped for each new one. @default 10000 */
    maxPending: integer({ min: 1, max: 1_000_000, default: 10_000 }),
  },
  connectionProblems,
)

export interface RedisStoreOptions extends RedisOptions, OptionsOf<typeof REDIS_STORE_OPTIONS> {}

/** Learned sessions that several gateways share, for `learn: { store }`. */
export interface RedisStore extends SharedStore {
  open(context: StoreContext): OpenStore
  /**
   * Resolves when each policy that has opened the store can ask Redis, or Redis has refused it once. A gateway that
   * takes requests before would place the sessions that it does not know yet. While Redis is silent it stays pending.
   */
  readonly ready: Promise<void>
  /**
   * Live sessions of a backend in all gateways: an estimate with an error of 0.8 %, in which a session that has ended
   * or moved counts until its `ttl` would have been over.
   * Rejects when Redis does not respond, and when no policy of the pool has this store.
   */
  fleetSessions(pool: string, backendId: string): Promise<number>
  /** Writes what is pending, within a second, and ends the connections. Idempotent. */
  close(): Promise<void>
}

/**
 * A store for `learn` in Redis 6, Valkey 7.2 or newer: standalone, Sentinel or Cluster. It connects when a policy opens
 * it, and reconnects when the connection is lost; `limpet:redis-state` reports each change.
 * @throws OptionError with every problem, never with a password.
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const settings = parseStoreOptions(options)
  const tables = new Map<string, LearnedTable>()
  return {
    open(context) {
      const name = `${context.pool}/${context.field}`
      const before = tables.get(name)
      if (before?.fits(context) === true) {
        before.reopen(context)
        return before
      }
      void before?.close()
      const table = new LearnedTable(context, settings)
      tables.set(name, table)
      return table
    },
    get ready() {
      return Promise.all(Array.from(tables.values(), async table => table.ready)).then(() => undefined)
    },
    async fleetSessions(pool, backendId) {
      const all = [...tables].filter(([name]) => name.startsWith(`${pool}/`))
      if (all.length === 0) throw new Error(`no policy of pool ${pool} has this store`)
      const counts = await Promise.all(all.map(async ([, table]) => table.fleetSessions(backendId)))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    async close() {
      const all = [...tables.values()]
      tables.clear()
      await Promise.all(all.map(async table => table.close()))
    },
  }
}

function parseStoreOptions(options: RedisStoreOptions): TableSettings {
  const { prefix, maxEntries, deadline, maxPending, ...connection } = REDIS_STORE_OPTIONS.parse('', options)
  return { redis: redisOf(connection), prefix, deadlineMs: deadline, maxEntries, maxPending }
}
