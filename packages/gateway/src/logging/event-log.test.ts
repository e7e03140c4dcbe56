import { channel } from 'node:diagnostics_channel'
import pino from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { logEvents } from './event-log.ts'

/** The lines that the events of these channels make. */
function linesOf(...events: readonly (readonly [name: string, event: object])[]): readonly object[] {
  const lines: object[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as object)
  const stop = logEvents(
    pino({ base: null, timestamp: false, formatters: { level: label => ({ label }) } }, { write }),
  )
  onTestFinished(stop)
  for (const [name, event] of events) channel(`limpet:${name}`).publish(event)
  stop()
  for (const [name, event] of events) channel(`limpet:${name}`).publish(event)
  return lines
}

it('logs events of pools by their level, and none of every request, until it is stopped', () => {
  expect(
    linesOf(
      ['health-changed', { pool: 'web', backend: 'w1', healthy: false }],
      ['responded', { pool: 'web' }],
      ['state-changed', { pool: 'web', backend: 'w1', state: 'drain' }],
    ),
  ).toEqual([
    { label: 'warn', event: 'health_changed', pool: 'web', backend: 'w1', healthy: false },
    { label: 'info', event: 'state_changed', pool: 'web', backend: 'w1', state: 'drain' },
  ])
})

it('warns of a store that is away, and not when it is back', () => {
  expect(linesOf(['redis-state', { state: 'down' }], ['redis-state', { state: 'up' }])).toEqual([
    { label: 'warn', event: 'redis_state', state: 'down' },
    { label: 'info', event: 'redis_state', state: 'up' },
  ])
})

it('has the code of a cause, or its message, and no stack', () => {
  const refused = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' })
  expect(
    linesOf(
      ['failed', { pool: 'web', backend: 'w1', failure: { kind: 'unreached', slow: false, cause: refused } }],
      ['policy-failed', { pool: 'web', policy: 'own', error: new Error('no') }],
      ['discovery-failed', { pool: 'web', error: 'text' }],
    ),
  ).toEqual([
    {
      label: 'warn',
      event: 'failed',
      pool: 'web',
      backend: 'w1',
      kind: 'unreached',
      slow: false,
      cause: 'ECONNREFUSED',
    },
    { label: 'warn', event: 'policy_failed', pool: 'web', policy: 'own', error: 'no' },
    { label: 'warn', event: 'discovery_failed', pool: 'web' },
  ])
})
