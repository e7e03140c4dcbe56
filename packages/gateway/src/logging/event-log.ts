import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FailedEvent, PolicyFailedEvent } from '@limpet/core'
import type { Level, Logger } from 'pino'

/** The events that are logged, and their levels. Events of every request are for the access log. */
const LEVELS: Readonly<Record<string, Level>> = {
  'health-changed': 'warn',
  'state-changed': 'info',
  'members-changed': 'info',
  drained: 'info',
  failed: 'warn',
  redispatched: 'info',
  refused: 'info',
  'retry-budget-exhausted': 'warn',
  'policy-failed': 'warn',
  'discovery-failed': 'warn',
  'redis-state': 'warn',
  'redis-bad-value': 'warn',
  'fleet-change': 'info',
}

/** Logs the events of the pools. @returns a function that stops it */
export function logEvents(log: Logger): () => void {
  const listeners = Object.entries(LEVELS).map(([name, level]): [string, (event: unknown) => void] => [
    `limpet:${name}`,
    event =>
      log[isGood(event) ? 'info' : level]({ event: name.replaceAll('-', '_'), ...plain(event as object) }),
  ])
  for (const [channel, listener] of listeners) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener)
  }
}

/** The connection to the store is back, or there for the first time. */
function isGood(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'state' in event && event.state === 'up'
}

/** Replaces causes by their codes: machines read the log, and have no use for a stack. */
function plain(event: object): object {
  if ('failure' in event) {
    const { failure, ...rest } = event as FailedEvent
    return { ...rest, kind: failure.kind, slow: failure.slow, cause: causeOf(failure.cause) }
  }
  if ('error' in event) return { ...event, error: causeOf((event as PolicyFailedEvent).error) }
  return event
}

function causeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
