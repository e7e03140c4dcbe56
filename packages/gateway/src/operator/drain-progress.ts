import { drainForecast } from '@limpet/core'
import type { BackendRow } from './admin-client.ts'
import { durationText } from './duration-text.ts'
import { sessionsText } from './status-table.ts'

const BAR = 20

/** The progress of a drain, as a line of text. @param nowMs milliseconds since the epoch */
export function drainProgress(row: BackendRow, nowMs: number): string {
  const backend = ofFleet(row)
  const { sessions, inFlight, tunnels } = backend
  // Figures count a tunnel among the requests in flight.
  const requests = inFlight - tunnels
  const { done, endAtMs, isByPace } = drainForecast(backend, nowMs) ?? {
    done: 1,
    endAtMs: nowMs,
    isByPace: false,
  }
  const bar = '#'.repeat(Math.round(done * BAR)).padEnd(BAR, '.')
  const left = [
    sessions === undefined
      ? 'sessions are not counted'
      : `${sessionsText(backend)} ${plural('session', sessions)}`,
    `${tunnels} ${plural('tunnel', tunnels)}`,
    `${requests} ${plural('request', requests)} in flight`,
  ]
  const place = row.fleet === undefined ? '' : 'all gateways: '
  const time = durationText(Math.max(0, endAtMs - nowMs))
  const end = isByPace ? `ends in about ${time}` : `ends in ${time} at the latest`
  return `[${bar}] ${String(Math.round(done * 100)).padStart(3)}%  ${place}${left.join(', ')}; ${end}`
}

/** The requests and sessions of all gateways, where they share the drain. Two of them may count the same session. */
function ofFleet(backend: BackendRow): BackendRow {
  const { fleet, sessions = 0 } = backend
  if (fleet === undefined) return backend
  const { inFlight, tunnels } = fleet
  if (fleet.sessions === undefined) return { ...backend, inFlight, tunnels }
  return {
    ...backend,
    inFlight,
    tunnels,
    sessions: Math.max(fleet.sessions, sessions),
    sessionsEstimated: true,
  }
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`
}
