import type { BackendFigures } from '@limpet/core'
import { clockText, durationText, things } from './written.ts'

/** How the last drain of a backend ended, as a part of a sentence. */
export function lastDrainText({
  outcome,
  startedAtMs,
  endedAtMs,
  sessions,
  sessionsEstimated,
  inFlight,
}: NonNullable<BackendFigures['lastDrain']>): string {
  const time = `after ${durationText(endedAtMs - startedAtMs)}, at ${clockText(endedAtMs)} UTC`
  if (outcome === 'cancelled') return `cancelled ${time}`
  if (outcome === 'drained') return `drained ${time}: no session was left`
  const about = sessionsEstimated ? 'about ' : ''
  const moved =
    sessions === undefined ? 'sessions that are not counted' : `${about}${things(sessions, 'session')}`
  const cut = inFlight === 0 ? '' : `, and ended ${things(inFlight, 'request')}`
  return `drained ${time}: the deadline moved ${moved}${cut}`
}
