import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import type {
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
import { PoolLines } from './pool-lines.ts'

/** Written with `NODE_DEBUG=limpet`: a line for each event, those of single requests among them. */
const debug = debuglog('limpet')
const DEBUGGED = ['selected', 'connected', 'responded', 'failed', 'released', 'refused', 'queued']

/**
 * Logs the changes of a pool, one line for each: a backend down or up, a drain begun or ended, no backend left,
 * discovery failing or working. `info` has what was wanted or is well again, `warn` a fault, `error` an outage.
 * With `NODE_DEBUG=limpet` each event is written to stderr as well, also where there is no logger.
 * @param logger false: none
 * @returns the function that ends it
 */
export function logPool(pool: Pool, logger: Logger | false): () => void {
  const ends = [...(logger === false ? [] : [join(pool, logger)]), listen(pool.name, debugged())]
  return () => {
    for (const end of ends) end()
  }
}

interface Shared {
  readonly log: PoolLines
  readonly end: () => void
}

/** One log for all pools of a name, so that two of them do not write each line twice. */
const SHARED = new WeakMap<Logger, Map<string, Shared>>()

function join(pool: Pool, logger: Logger): () => void {
  const { name } = pool
  const logs = SHARED.get(logger) ?? new Map<string, Shared>()
  SHARED.set(logger, logs)
  let shared = logs.get(name)
  if (shared === undefined) {
    const log = new PoolLines(name, logger)
    shared = { log, end: listen(name, changes(log)) }
    logs.set(name, shared)
  }
  const { log, end } = shared
  log.pools.add(pool)
  return () => {
    if (!log.pools.delete(pool) || log.pools.size > 0) return
    end()
    log.close()
    logs.delete(name)
  }
}

/** Listens to the events of the pools of a name. @returns the function that ends it */
function listen(name: string, listeners: readonly Listening[]): () => void {
  const subscribed = listeners.map(([channel, listener]): Listener => {
    const ofPool = (event: unknown): void => {
      if ((event as { readonly pool: string }).pool === name) listener(event as never)
    }
    return [`limpet:${channel}`, ofPool]
  })
  for (const [channel, listener] of subscribed) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of subscribed) unsubscribe(channel, listener)
  }
}

type Listener = [channel: string, listener: (event: unknown) => void]
type Listening = [channel: string, listener: (event: never) => void]

function changes(log: PoolLines): Listening[] {
  return [
    ['health-changed', (event: HealthChangedEvent) => log.healthChanged(event)],
    ['failed', (event: FailedEvent) => log.failed(event)],
    ['state-changed', (event: StateChangedEvent) => log.stateChanged(event)],
    ['drained', (event: DrainedEvent) => log.drained(event)],
    ['members-changed', (event: MembersChangedEvent) => log.membersChanged(event)],
    ['refused', (event: RefusedEvent) => log.refused(event)],
    ['discovery-failed', (event: DiscoveryFailedEvent) => log.discoveryFailed(event)],
    ['discovery-recovered', (event: DiscoveryRecoveredEvent) => log.discoveryRecovered(event)],
    ['policy-failed', (event: PolicyFailedEvent) => log.policyFailed(event)],
    ['redis-state', (event: { readonly state: string }) => log.redisState(event)],
  ]
}

function debugged(): Listening[] {
  if (!debug.enabled) return []
  return DEBUGGED.map(name => [name, (event: object) => debug('%s %j', name, plain(event))])
}

/** The parts of an event that are text or numbers: errors have their say in `failure.kind`. */
function plain(event: object): object {
  const parts = Object.entries({ ...event, kind: (event as Partial<FailedEvent>).failure?.kind })
  return Object.fromEntries(
    parts.filter(([, value]) => typeof value === 'string' || typeof value === 'number'),
  )
}
