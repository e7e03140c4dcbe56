import { type BackendFigures, quantileMs } from '@limpet/core'
import { shownState } from './backend-state.ts'

/** Backends of one pool on one page. */
export const PAGE_SIZE = 100
const MAX_FILTER = 100

/** A column by which the list is sorted. */
export type SortKey =
  | 'id'
  | 'state'
  | 'sessions'
  | 'requests'
  | 'inFlight'
  | 'failures'
  | 'p99'
  | 'moved'
  | 'weight'

const SORT_VALUES: Readonly<Record<SortKey, (backend: BackendFigures) => number | string>> = {
  id: ({ id }) => id,
  state: backend => shownState(backend),
  sessions: ({ sessions = -1 }) => sessions,
  requests: ({ requests }) => requests,
  inFlight: ({ inFlight }) => inFlight,
  failures: ({ failures, responses }) => failures + responses['5xx'],
  p99: ({ responseTimes }) => quantileMs(responseTimes, 0.99) ?? -1,
  moved: backend => movedOf(backend),
  weight: ({ effectiveWeight }) => effectiveWeight,
}

/** Sessions that have left a backend. */
export function movedOf({ sessionsMoved: { failed, drained, full, rebalanced } }: BackendFigures): number {
  return failed + drained + full + rebalanced
}

/** The part of the list that an operator looks at, as the query of the page says it. */
export class ListView {
  readonly filter: string
  /** Undefined: the order of the configuration. */
  readonly sort: SortKey | undefined
  readonly isDescending: boolean
  readonly #query: URLSearchParams

  constructor(query: URLSearchParams) {
    this.#query = query
    this.filter = (query.get('filter') ?? '').trim().slice(0, MAX_FILTER)
    const sort = query.get('sort')
    this.sort = sort !== null && Object.hasOwn(SORT_VALUES, sort) ? (sort as SortKey) : undefined
    this.isDescending = query.get('order') === 'desc'
  }

  /** The number of the page of a pool, from 1. */
  pageOf(pool: string): number {
    const page = Number(this.#query.get(`page-${pool}`))
    return Number.isSafeInteger(page) && page > 1 ? page : 1
  }

  /** The backends that the filter lets through, in order. */
  select(backends: readonly BackendFigures[]): readonly BackendFigures[] {
    const words = this.filter.toLowerCase()
    const found =
      words === ''
        ? [...backends]
        : backends.filter(one => `${one.id} ${one.url} ${shownState(one)}`.toLowerCase().includes(words))
    return this.sort === undefined ? found : sorted(found, SORT_VALUES[this.sort], this.isDescending)
  }

  /** The query of the same view with changes; `undefined` removes a parameter. */
  query(changes: Readonly<Record<string, string | undefined>> = {}): string {
    const query = new URLSearchParams()
    if (this.filter !== '') query.set('filter', this.filter)
    if (this.sort !== undefined) query.set('sort', this.sort)
    if (this.isDescending) query.set('order', 'desc')
    for (const [key, value] of this.#query)
      if (/^page-[\w-]{1,64}$/.test(key) && /^\d{1,6}$/.test(value)) query.set(key, value)
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) query.delete(key)
      else query.set(key, value)
    }
    return `?${query.toString()}`
  }

  /** The query that sorts by a column; the other way round when it already does. */
  sortedBy(key: SortKey): string {
    const isNumber = key !== 'id' && key !== 'state'
    const isDescending = this.sort === key ? !this.isDescending : isNumber
    return this.query({ sort: key, order: isDescending ? 'desc' : undefined })
  }
}

/** Each value is read once: a quantile is no cheap comparison. */
function sorted(
  backends: readonly BackendFigures[],
  valueOf: (backend: BackendFigures) => number | string,
  isDescending: boolean,
): readonly BackendFigures[] {
  const sign = isDescending ? -1 : 1
  return backends
    .map(backend => ({ backend, value: valueOf(backend) }))
    .toSorted((one, other) => sign * compared(one.value, other.value))
    .map(({ backend }) => backend)
}

/** Made for the first page: the data of Intl would cost every process that loads this module 10 MB. */
let collator: Intl.Collator | undefined

function compared(one: number | string, other: number | string): number {
  return typeof one === 'number' && typeof other === 'number'
    ? one - other
    : (collator ??= new Intl.Collator('en', { numeric: true })).compare(String(one), String(other))
}
