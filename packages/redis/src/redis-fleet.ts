import { hostname } from 'node:os'
import type { AdminState, BackendOptions, Drain, DrainOptions, Pool, Secret } from '@limpet/core'
import { needed, type OptionsOf, optionTable, parsed, text } from '@limpet/core/options'
import { parseSecrets } from '@limpet/core/signing'
import {
  CONNECTION_OPTIONS,
  connectionProblems,
  redisOf,
  type RedisOptions,
} from './connection/redis-options.ts'
import type { Command } from './fleet/command.ts'
import { DrainReports, type FleetDrain } from './fleet/drain-reports.ts'
import { SharedCommands } from './fleet/shared-commands.ts'
import { PREFIX } from './prefix.ts'

const MAX_BY = 128

const REDIS_FLEET_OPTIONS = optionTable(
  {
    ...CONNECTION_OPTIONS.options,
    /** Those of the pool, newest first: commands are encrypted and authenticated with them. */
    secrets: needed(
      parsed<readonly Secret[], readonly Uint8Array[]>('a list of secrets', (_path, value) =>
        parseSecrets(value),
      ),
    ),
    /** The origin of commands here, for the logs of other gateways. @default the host's name */
    by: text({
      pattern: new RegExp(`^[^]{1,${MAX_BY}}$`),
      takes: `a text of 1 to ${MAX_BY} characters`,
    }),
    /** First part of all keys. @default 'limpet' */
    prefix: PREFIX,
  },
  connectionProblems,
)

export interface RedisFleetOptions extends RedisOptions, OptionsOf<typeof REDIS_FLEET_OPTIONS> {}

/** The commands of operators to one pool, for all gateways that share it. */
export interface RedisFleet {
  /** Resolves when the commands that Redis has were taken over for the first time. Never rejects. */
  readonly ready: Promise<void>
  /** As `pool.setState()`, at all gateways. */
  setState(id: string, state: AdminState, by?: string): void
  /** As `pool.setWeight()`, at all gateways. */
  setWeight(id: string, weight: number, by?: string): void
  /**
   * As `pool.drain()`, at all gateways, with one deadline. Before that it ends when no gateway has sessions or requests
   * of the backend, which takes 2 s at least.
   */
  drain(id: string, options?: DrainOptions, by?: string): Drain
  /** As `pool.add()`, at all gateways. */
  add(backend: BackendOptions, by?: string): void
  /** As `pool.remove()`, at all gateways. */
  remove(id: string, by?: string): boolean
  /** The newest command about a backend, here or at another gateway. */
  command(id: string): Command | undefined
  /** The drain of a backend in all gateways, as of the last second. Undefined when it is over in all of them. */
  drainOf(id: string): FleetDrain | undefined
  /** Applies all commands again, as after `pool.replace()` with the backends of a file. */
  apply(): void
  /** Ends the connection. Idempotent. */
  close(): void
}

/**
 * Shares operators' commands between gateways: a command at one is applied by all, also by those that start
 * or reconnect later. Of two commands about a backend the newer counts, by the clock of Redis. While Redis is down
 * commands work here, and reach the others when it is back. A shared command has precedence over configuration.
 * @throws OptionError with every problem, never with a password or a secret.
 */
export function redisFleet(pool: Pool, options: RedisFleetOptions): RedisFleet {
  const { secrets, by: given, prefix, ...connection } = REDIS_FLEET_OPTIONS.parse('', options)
  const shared = new SharedCommands(pool, { redis: redisOf(connection), prefix, secrets })
  const reports = new DrainReports(pool, shared, { prefix, secrets })
  const ourselves = given ?? hostname().slice(0, MAX_BY)
  return {
    ready: shared.ready,
    setState(id, state, by = ourselves) {
      pool.setState(id, state)
      shared.give(id, by, { state, deadlineAtMs: undefined, spreadMs: undefined })
    },
    setWeight(id, weight, by = ourselves) {
      pool.setWeight(id, weight)
      shared.give(id, by, { weight })
    },
    drain(id, drainOptions, by = ourselves) {
      const drain = pool.drain(id, drainOptions)
      const deadlineMs = drain.deadlineAtMs - drain.startedAtMs
      const deadlineAtMs = Math.round(shared.nowMs() + deadlineMs)
      const spreadMs = drain.spreadMs === 0 ? undefined : Math.round(drain.spreadMs)
      shared.give(id, by, { state: 'drain', deadlineAtMs, spreadMs })
      return drain
    },
    add(backend, by = ourselves) {
      const { id, url: _, ...added } = pool.add(backend).options
      shared.give(id, by, {
        added: { ...added, url: String(backend.url) },
        removed: undefined,
        state: undefined,
        weight: undefined,
        deadlineAtMs: undefined,
        spreadMs: undefined,
      })
    },
    remove(id, by = ourselves) {
      if (!pool.remove(id)) return false
      shared.give(id, by, {
        removed: true,
        added: undefined,
        state: undefined,
        deadlineAtMs: undefined,
        spreadMs: undefined,
      })
      return true
    },
    command: id => shared.command(id),
    drainOf: id => reports.drainOf(id),
    apply: () => shared.apply(),
    close() {
      reports.close()
      shared.close()
    },
  }
}
