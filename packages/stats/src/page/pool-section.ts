import { type BackendFigures, type PoolFigures, quantileMs } from '@limpet/core'
import { ACTIONS, type ActionName, DEFAULT_DEADLINE } from './action.ts'
import { shownState, stateCell } from './backend-state.ts'
import { type Fact, factList } from './fact-list.ts'
import { html, type Html } from './html.ts'
import { type ListView, movedOf, PAGE_SIZE, type SortKey } from './list-view.ts'
import type { RateHistory } from './rate-history.ts'
import { bar, sparkline } from './sparkline.ts'
import { addressText, countText, msText, things } from './written.ts'

const COLUMNS: readonly [title: string, key?: SortKey][] = [
  ['Backend', 'id'],
  ['State', 'state'],
  ['Sessions', 'sessions'],
  ['Requests', 'requests'],
  ['In flight', 'inFlight'],
  ['Errors', 'failures'],
  ['p99', 'p99'],
  ['Moved', 'moved'],
  ['Weight', 'weight'],
  ['Actions'],
]

/** A pool: its sums, and a page of its backends. */
export function poolSection(pool: PoolFigures, view: ListView, history: RateHistory): Html {
  const found = view.select(pool.backends)
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE))
  const page = Math.min(view.pageOf(pool.pool), pages)
  const shown = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const maxSessions = Math.max(0, ...pool.backends.map(({ sessions = 0 }) => sessions))
  return html`<section aria-labelledby="pool-${pool.pool}">
    <h2 id="pool-${pool.pool}">${pool.pool}</h2>
    ${poolSums(pool, history)}
    <table>
      <thead>
        <tr>
          ${COLUMNS.map(([title, key]) => heading(pool.pool, view, title, key))}
        </tr>
      </thead>
      <tbody>
        ${shown.map(backend => row(backend, { pool, view, history, maxSessions }))}
      </tbody>
    </table>
    ${found.length === 0 && html`<p class="note">No backend ${view.filter === '' ? 'is in this pool' : 'matches the filter'}.</p>`}
    ${pages > 1 && pageLinks(pool.pool, view, { page, pages, count: found.length })}
  </section>`
}

function poolSums(pool: PoolFigures, history: RateHistory): Html {
  const { backends, refused, retryBudget } = pool
  const known = backends.flatMap(({ sessions }) => sessions ?? [])
  const isEstimated = backends.some(one => one.sessionsEstimated)
  const down = backends.filter(one => shownState(one) === 'down').length
  const refusals = Object.entries(refused).map(([code, count]) => `${countText(count)} ${code}`)
  const sums: readonly Fact[] = [
    ['take new sessions', `${countText(pool.candidates)} of ${countText(backends.length)}`],
    ['down', countText(down)],
    ['sessions', known.length === 0 ? '–' : `${isEstimated ? '~' : ''}${countText(total(known))}`],
    ['requests', sparkline(history.of(pool.pool))],
    ['in flight', countText(pool.inFlight)],
    ['queued', countText(pool.queued)],
    ['p99', msText(quantileMs(pool.durations, 0.99))],
    ['sessions moved', movesOfPool(pool)],
    ['refused', refusals.length === 0 ? '0' : refusals.join(', ')],
    [
      'retries left',
      `${countText(retryBudget.left)}${retryBudget.denied > 0 ? `, ${countText(retryBudget.denied)} denied` : ''}`,
    ],
  ]
  return factList('sums', sums)
}

function movesOfPool({ backends, sessionsOfRemoved }: PoolFigures): string {
  const reasons = {
    failed: total(backends.map(one => one.sessionsMoved.failed)),
    drained: total(backends.map(one => one.sessionsMoved.drained)),
    full: total(backends.map(one => one.sessionsMoved.full)),
    rebalanced: total(backends.map(one => one.sessionsMoved.rebalanced)),
    removed: sessionsOfRemoved,
  }
  return reasonsText(reasons) || '0'
}

/** The reasons of moves that occurred, as `12 drained, 3 failed`. */
export function reasonsText(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${countText(count)} ${reason}`)
    .join(', ')
}

function heading(pool: string, view: ListView, title: string, key: SortKey | undefined): Html {
  if (key === undefined) return html`<th scope="col">${title}</th>`
  const order = view.sort !== key ? undefined : view.isDescending ? 'descending' : 'ascending'
  const sign = order === undefined ? '' : order === 'ascending' ? ' ▲' : ' ▼'
  return html`<th scope="col" ${order !== undefined && html` aria-sort="${order}"`}>
    <a data-view id="sort-${pool}-${key}" href="${view.sortedBy(key)}"
      >${title}${sign !== '' && html`<span aria-hidden="true">${sign}</span>`}</a
    >
  </th>`
}

interface RowContext {
  readonly pool: PoolFigures
  readonly view: ListView
  readonly history: RateHistory
  readonly maxSessions: number
}

function row(backend: BackendFigures, { pool, view, history, maxSessions }: RowContext): Html {
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

/** The actions that would change something. */
export function actionLinks(pool: string, backend: BackendFigures, view: ListView): readonly Html[] {
  const { id, state, weight } = backend
  const values: Partial<Record<ActionName, string>> = { drain: DEFAULT_DEADLINE, weight: String(weight) }
  return ACTIONS.filter(name => name !== state).map(
    name =>
      html`<a
        class="action"
        id="do-${name}-${pool}-${id}"
        aria-label="${name} ${id}"
        href="${view.query({ do: name, pool, backend: id, value: values[name] })}"
        >${name}</a
      > `,
  )
}

function pageLinks(
  pool: string,
  view: ListView,
  { page, pages, count }: { readonly page: number; readonly pages: number; readonly count: number },
): Html {
  const link = (to: number, text: string): Html =>
    to < 1 || to > pages
      ? html`<span class="note">${text}</span>`
      : html`<a data-view id="${text}-${pool}" href="${view.query({ [`page-${pool}`]: String(to) })}"
          >${text}</a
        >`
  return html`<nav aria-label="pages of ${pool}">
    ${link(page - 1, 'previous')} page ${page} of ${pages}, ${countText(count)} backends
    ${link(page + 1, 'next')}
  </nav>`
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
