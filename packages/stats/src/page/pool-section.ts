import type { PoolFigures } from '@limpet/core'
import { html, type Html } from './html.ts'
import { type ListView, PAGE_SIZE, type SortKey } from './list-view.ts'
import type { RateHistory } from './rate-history.ts'
import { backendRow } from './backend-row.ts'
import { poolSums } from './pool-sums.ts'
import { countText } from './written.ts'

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
        ${shown.map(backend => backendRow(backend, { pool, view, history, maxSessions }))}
      </tbody>
    </table>
    ${found.length === 0 && html`<p class="note">No backend ${view.filter === '' ? 'is in this pool' : 'matches the filter'}.</p>`}
    ${pages > 1 && pageLinks(pool.pool, view, { page, pages, count: found.length })}
  </section>`
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
