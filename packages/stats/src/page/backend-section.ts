import { type BackendFigures, type PoolFigures, quantileMs } from '@limpet/core'
import { stateCell } from './backend-state.ts'
import { type Fact, factList } from './fact-list.ts'
import { html, type Html } from './html.ts'
import type { ListView } from './list-view.ts'
import { lastDrainText } from './last-drain.ts'
import { actionLinks } from './action-links.ts'
import type { RateHistory } from './rate-history.ts'
import { sparkline } from './sparkline.ts'
import { addressText, bytesText, clockText, countText, durationText, msText, reasonsText } from './written.ts'

/** Everything that is known of one backend. */
export function backendSection(
  pool: PoolFigures,
  backend: BackendFigures,
  view: ListView,
  history: RateHistory,
): Html {
  const { id, responseTimes, sessions } = backend
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map(share => msText(quantileMs(responseTimes, share)))
  const facts: readonly Fact[] = [
    ['state', stateCell(backend, pool.atMs)],
    ...lastDrainFact(backend),
    ['requests', sparkline(history.of(pool.pool, id))],
    ['requests in all', countText(backend.requests)],
    ['in flight', countText(backend.inFlight)],
    ['WebSockets', countText(backend.tunnels)],
    ['queued for it', countText(backend.queued)],
    [
      'sessions',
      sessions === undefined
        ? 'not counted'
        : `${countText(sessions)}${backend.sessionsEstimated ? ' (estimated)' : ''}`,
    ],
    ['sessions started', countText(backend.sessionsStarted)],
    ['sessions moved away', reasonsText(backend.sessionsMoved) || '0'],
    ['responses', reasonsText(backend.responses) || '0'],
    ['failures', reasonsText(backend.failuresByKind) || '0'],
    [
      'moved requests',
      `${countText(backend.redispatchedFrom)} away, ${countText(backend.redispatchedTo)} to it`,
    ],
    ['to the head of a response', `p50 ${p50 ?? ''}, p90 ${p90 ?? ''}, p99 ${p99 ?? ''}`],
    ['weight', `${backend.weight}, now ${Math.round(backend.effectiveWeight * 100) / 100}`],
    ['connections', countText(backend.connections)],
    ['bytes', `${bytesText(backend.bytesIn)} sent, ${bytesText(backend.bytesOut)} received`],
    ['checks', checksText(backend)],
    ['found down', `${countText(backend.turnedDown)} times, for ${durationText(backend.downMs)} in all`],
  ]
  return html`<p><a href="${view.query()}">All backends</a></p>
    <h2>${id}</h2>
    <p class="note">pool ${pool.pool}, ${addressText(backend)}</p>
    <p class="actions">${actionLinks(pool.pool, backend, view)}</p>
    ${factList('facts', facts)}`
}

function lastDrainFact({ lastDrain }: BackendFigures): readonly Fact[] {
  return lastDrain === undefined ? [] : [['last drain', lastDrainText(lastDrain)]]
}

function checksText({ checks: { passed, failed, last } }: BackendFigures): string {
  const counts = `${countText(passed)} passed, ${countText(failed)} failed`
  if (last === undefined) return counts
  const result = last.healthy ? 'passed' : `failed: ${last.problem ?? ''}`
  return `${counts}; last at ${clockText(last.atMs)} UTC ${result}, in ${msText(last.durationMs)}`
}
