import type { BackendFigures, PoolFigures } from '@limpet/core'
import { durationMs } from '@limpet/core/options'
import { PageError } from './page-error.ts'
import type { BackendChange } from './stats-source.ts'
import { durationWords, things } from './written.ts'

export const ACTIONS = ['ready', 'drain', 'maint', 'weight'] as const
export type ActionName = (typeof ACTIONS)[number]

export const DEFAULT_DEADLINE = '10m'
export const DEFAULT_SPREAD = '0s'
const MAX_DEADLINE_MS = 7 * 86_400_000
const MAX_SPREAD_MS = 86_400_000
const MAX_WEIGHT = 256

/** A change that an operator is about to make. */
export interface Action {
  readonly name: ActionName
  readonly pool: PoolFigures
  readonly backend: BackendFigures
  /** The deadline of a drain, the new weight, or ''. */
  readonly value: string
  /** Of a drain: the time over which sessions move from the deadline on; '': all at once. */
  readonly spread: string
}

/** @throws PageError for an unknown action */
export function actionName(text: string | null): ActionName {
  const name = ACTIONS.find(one => one === text)
  if (name === undefined) throw new PageError(400, 'The action is not known.')
  return name
}

/** @throws PageError for a wrong deadline or weight */
export function changeOf({ name, value, spread }: Action): BackendChange {
  if (name === 'drain') {
    deadlineMsOf(value)
    return spreadMsOf(spread) === 0
      ? { state: name, deadline: value }
      : { state: name, deadline: value, spread }
  }
  return name === 'weight' ? { weight: weightOf(value) } : { state: name }
}

/** The effects of the change, before it is made. @throws PageError for a wrong deadline or weight */
export function consequences(action: Action): readonly string[] {
  switch (action.name) {
    case 'ready':
      return ofReady(action)
    case 'drain':
      return ofDrain(action)
    case 'maint':
      return ofMaint(action)
    case 'weight':
      return ofWeight(action)
  }
}

function ofReady({ backend: { id, healthy, drain } }: Action): readonly string[] {
  return [
    `${id} takes new sessions.`,
    ...(drain === undefined ? [] : ['Its drain is cancelled, and its sessions stay.']),
    ...(healthy ? [] : ['It is down now: it takes requests once it is found healthy.']),
  ]
}

function ofDrain({ backend, pool, value, spread }: Action): readonly string[] {
  const spreadMs = spreadMsOf(spread)
  const moving =
    spreadMs === 0
      ? 'then move with their next request'
      : `then move over ${durationWords(spreadMs)}, one after the other`
  const longest = durationWords(deadlineMsOf(value) + spreadMs)
  return [
    `${sessionsText(backend)} stay${isOne(backend) ? 's' : ''}, at most ${longest}. New sessions start elsewhere.`,
    `Sessions that are left ${moving}. Their WebSockets are closed, and requests get five seconds to end.`,
    ...(others(pool, backend).some(one => one.state === 'ready' && one.weight > 0)
      ? []
      : ['No other backend takes new sessions: requests without a session get 503.']),
  ]
}

function ofMaint({ backend, pool }: Action): readonly string[] {
  const { inFlight, tunnels } = backend
  const requests = inFlight - tunnels
  return [
    `${sessionsText(backend)} move${isOne(backend) ? 's' : ''} to another backend with the next request.`,
    ...(requests > 0 ? [`${things(requests, 'request')} in flight may end.`] : []),
    ...(tunnels > 0 ? [`${things(tunnels, 'WebSocket')} stay${tunnels === 1 ? 's' : ''} open.`] : []),
    ...(others(pool, backend).length > 0 ? [] : ['No other backend is available: all requests get 503.']),
  ]
}

function ofWeight({ backend, pool, value }: Action): readonly string[] {
  const weight = weightOf(value)
  const { id } = backend
  const sessions = 'Sessions stay where they are.'
  if (weight === 0) return [`${id} takes no new session. ${sessions}`]
  const rest = others(pool, backend)
    .filter(one => one.state === 'ready' && one.backup === backend.backup)
    .reduce((sum, one) => sum + one.weight, 0)
  const share = Math.round((100 * weight) / (weight + rest))
  return [`${id} gets about ${share} % of new sessions. ${sessions}`]
}

function sessionsText({ sessions, sessionsEstimated }: BackendFigures): string {
  if (sessions === undefined) return 'All sessions'
  return `${sessionsEstimated ? 'About ' : ''}${things(sessions, 'session')}`
}

function isOne({ sessions }: BackendFigures): boolean {
  return sessions === 1
}

/** The other backends that may take requests. */
function others({ backends }: PoolFigures, { id }: BackendFigures): readonly BackendFigures[] {
  return backends.filter(one => one.id !== id && one.healthy && one.state !== 'maint')
}

function deadlineMsOf(value: string): number {
  const takes = 'The deadline takes a duration of 1s to 7d, as 90s, 10m or 2h.'
  try {
    const ms = durationMs('deadline', value, DEFAULT_DEADLINE, MAX_DEADLINE_MS)
    if (ms >= 1_000) return ms
  } catch {
    // The message below says the same in the words of the page.
  }
  throw new PageError(400, takes)
}

function spreadMsOf(value: string): number {
  if (value === '') return 0
  try {
    return durationMs('spread', value, DEFAULT_SPREAD, MAX_SPREAD_MS)
  } catch {
    throw new PageError(400, 'The time in which sessions move takes a duration of 0s to 1d, as 30s or 5m.')
  }
}

function weightOf(value: string): number {
  const weight = /^\d{1,3}$/.test(value) ? Number(value) : -1
  if (weight < 0 || weight > MAX_WEIGHT)
    throw new PageError(400, `The weight takes a whole number of 0 to ${MAX_WEIGHT}.`)
  return weight
}
