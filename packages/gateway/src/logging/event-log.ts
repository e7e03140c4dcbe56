import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FailedEvent, PolicyFailedEvent } from '@limpet/core'
import type { Level, Logger } from 'pino'

/** Which events are logged, and how loud. What every request tells is the access log's. */
const LEVELS: Readonly<Record<string, Level>> = {
  'health-changed': 'warn',
  'state-changed': 'info',
  'members-changed': 'info',
  drained: 'info',
  failed: 'warn',
  refused: 'info',
  'retry-budget-exhausted': 'warn',
  'policy-failed': 'warn',
  'discovery-failed': 'warn',
}

/** Logs what happens to the pools. @returns what ends it */
export function logEvents(log: Logger): () => void {
  const listeners = Object.entries(LEVELS).map(([name, level]): [string, (event: unknown) => void] => [
    `limpet:${name}`,
    event => log[level]({ event: name.replaceAll('-', '_'), ...plain(event as object) }),
  ])
  for (const [channel, listener] of listeners) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener)
  }
}

/** Causes are told by their code: a stack is nothing for a line in a log that is read by machines. */
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
