import { type BackendFigures, type PoolFigures, quantileMs } from '@limpet/core'
import { actionLinks } from './action-links.ts'
import { stateCell } from './backend-state.ts'
import { html, type Html } from './html.ts'
import { type ListView, movedOf } from './list-view.ts'
import type { RateHistory } from './rate-history.ts'
import { bar, sparkline } from './sparkline.ts'
import { addressText, countText, msText, reasonsText, things } from './written.ts'

/** The surroundings of a row: the pool, the view, and the most sessions of a backend, which bars are compared with. */
export interface RowContext {
  readonly pool: PoolFigures
  readonly view: ListView
  readonly history: RateHistory
  readonly maxSessions: number
}

/** A backend as a row of the table. */
export function backendRow(backend: BackendFigures, { pool, view, history, maxSessions }: RowContext): Html {
  const { id, sessions, inFlight, maxInFlight, tunnels, queued, weight, effectiveWeight } = backend
  const name = `${pool.pool}-${id}`
  const slow = Math.round(effectiveWeight * 100) / 100
  return html`<tr id="b-${name}">
    <th scope="row">
      <a id="name-${name}" href="${view.query({ pool: pool.pool, backend: id })}">${id}</a>
      <div class="note url">${addressText(backend)}</div>
    </th>
    <td data-label="State">${stateCell(backend, pool.atMs)}</td>
    <td data-label="Sessions">
      ${sessions === undefined ? '–' : html`<span class="num">${backend.sessionsEstimated && '~'}${countText(sessions)}</span>${bar(sessions, maxSessions)}`}
    </td>
    <td data-label="Requests">
      ${sparkline(history.of(pool.pool, id))}
      <div class="note">${countText(backend.requests)} in all</div>
    </td>
    <td data-label="In flight">
      <span class="num">${countText(inFlight)}${maxInFlight > 0 && ` of ${countText(maxInFlight)}`}</span
      >${tunnels > 0 && html`<div class="note">${things(tunnels, 'WebSocket')}</div>`}${queued > 0 && html`<div class="note">${countText(queued)} queued</div>`}
    </td>
    <td data-label="Errors">${errorsCell(backend)}</td>
    <td data-label="p99"><span class="num">${msText(quantileMs(backend.responseTimes, 0.99))}</span></td>
    <td data-label="Moved">
      <span class="num">${countText(movedOf(backend))}</span>
      <div class="note">${reasonsText(backend.sessionsMoved)}</div>
    </td>
    <td data-label="Weight">
      <span class="num">${weight}</span>${slow !== weight && html`<div class="note">now ${slow}</div>`}
    </td>
    <td data-label="Actions" class="actions">${actionLinks(pool.pool, backend, view)}</td>
  </tr> `
}

function errorsCell({ failures, responses }: BackendFigures): Html {
  return html`<span class="num">${countText(failures + responses['5xx'])}</span
    >${failures > 0 && html`<div class="note">${countText(failures)} failed</div>`}`
}
