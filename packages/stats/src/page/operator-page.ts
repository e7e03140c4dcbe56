import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Action, actionName, changeOf } from './action.ts'
import { backendSection } from './backend-section.ts'
import { confirmation } from './confirmation.ts'
import { livePart, page, redirect, type StatsResponse } from './document.ts'
import { readForm } from './form-body.ts'
import { FormGuard } from './form-guard.ts'
import { html, type Html } from './html.ts'
import { ListView } from './list-view.ts'
import { PageError, refusalOf } from './page-error.ts'
import { poolSection } from './pool-section.ts'
import { RateHistory } from './rate-history.ts'
import { findBackend, type StatsFigures, type StatsSource } from './stats-source.ts'
import { clockText, things } from './written.ts'

/** A request of the page, from any server. */
export interface StatsRequest {
  readonly method: string
  /** The request target; only its query is read. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The text that says which operator asks, to which the tokens of forms are bound. */
  readonly credentials: string
  /** Reads the form of a POST. */
  readonly form: () => Promise<URLSearchParams>
}

/** The page without a server: the request in, the response out. */
export class OperatorPage {
  readonly #source: StatsSource
  readonly #guard = new FormGuard()
  readonly #history = new RateHistory()

  constructor(source: StatsSource) {
    this.#source = source
  }

  /**
   * The response to a request that is allowed to see the figures.
   * @throws errors of the source without a `statusCode` of 400 to 499
   */
  async respond(request: StatsRequest): Promise<StatsResponse> {
    try {
      if (request.method === 'POST') return await this.#post(request)
      if (request.method === 'GET' || request.method === 'HEAD') return await this.#get(request)
      throw new PageError(405, 'The page takes GET and POST.')
    } catch (error) {
      const refused = refusalOf(error)
      if (refused === undefined) throw error
      return refusal(refused)
    }
  }

  /**
   * The same for a request of node:http.
   * @param credentials see `StatsRequest`
   * @param parsed the form, when a parser has read the body already
   */
  async respondTo(request: IncomingMessage, credentials: string, parsed?: unknown): Promise<StatsResponse> {
    const { method = 'GET', url = '', headers } = request
    const form = async (): Promise<URLSearchParams> => readForm(request, parsed)
    return this.respond({ method, url, headers, credentials, form })
  }

  async #get({ url, credentials }: StatsRequest): Promise<StatsResponse> {
    const query = queryOf(url)
    const view = new ListView(query)
    const figures = await this.#source.figures()
    if (query.has('do')) {
      const action = actionOf(query, figures)
      const token = this.#guard.token(credentials)
      const body = html`<main>${confirmation(action, { back: view.query(), token })}</main>`
      return page(`${action.name} ${action.backend.id}`, body)
    }
    this.#history.note(figures.pools)
    const isOne = query.has('backend')
    const live = isOne ? this.#backend(query, figures, view) : this.#list(figures, view)
    if (query.get('part') === 'live') return livePart(live)
    return page('limpet', html`${head(view, !isOne)}${live}`, { hasScript: true })
  }

  #list({ pools, ending = [], closing = false }: StatsFigures, view: ListView): Html {
    return html`<main id="live">
      ${stamp(pools[0]?.atMs)}${closing && html`<p class="error">The gateway is closing.</p>`}${pools.map(pool => poolSection(pool, view, this.#history))}${
        ending.length > 0 &&
        html`<section aria-labelledby="ending">
          <h2 id="ending">Replaced pools that are ending</h2>
          <ul>
            ${ending.map(({ pool, inFlight }) => html`<li>${pool}: ${things(inFlight, 'request')} left</li>`)}
          </ul>
        </section>`
      }
    </main>`
  }

  #backend(query: URLSearchParams, figures: StatsFigures, view: ListView): Html {
    const { pool, backend } = findBackend(figures, query.get('pool'), query.get('backend'))
    return html`<main id="live">
      ${stamp(pool.atMs)}${backendSection(pool, backend, view, this.#history)}
    </main>`
  }

  async #post({ headers, credentials, form }: StatsRequest): Promise<StatsResponse> {
    const given = await form()
    this.#guard.check(headers, credentials, given.get('token'))
    const action = actionOf(given, await this.#source.figures())
    const { pool, backend } = action
    await this.#source.change(pool.pool, backend.id, changeOf(action))
    const view = new ListView(queryOf(given.get('back') ?? ''))
    return redirect(`${view.query()}#b-${pool.pool}-${backend.id}`)
  }
}

/** The page of a refused request. */
export function refusal({
  statusCode,
  message,
}: {
  readonly statusCode: number
  readonly message: string
}): StatsResponse {
  const body = html`<main>
    <h1>Not done</h1>
    <p class="error">${message}</p>
    <p><a href="?">Back to the list</a></p>
  </main>`
  return page('limpet', body, { statusCode })
}

function actionOf(query: URLSearchParams, figures: StatsFigures): Action {
  const name = actionName(query.get('do'))
  return {
    name,
    ...findBackend(figures, query.get('pool'), query.get('backend')),
    value: query.get('value') ?? '',
    spread: query.get('spread') ?? '',
  }
}

function head({ filter, sort, isDescending }: ListView, hasFilter: boolean): Html {
  return html`<header>
    <h1>limpet</h1>
    ${
      hasFilter &&
      html`<form role="search">
        <label for="filter">Filter</label>
        <input
          id="filter"
          name="filter"
          type="search"
          value="${filter}"
          placeholder="id, address or state"
          size="22"
        />${sort !== undefined && html`<input type="hidden" name="sort" value="${sort}" />`}${isDescending && html`<input type="hidden" name="order" value="desc" />`}
        <button>Apply</button>
      </form>`
    }
    <p id="note" class="late" role="status"></p>
    <p class="end note">
      <button id="pause" hidden>Pause</button> <kbd>/</kbd> filter <kbd>j</kbd> <kbd>k</kbd> rows
      <kbd>r</kbd> refresh <kbd>p</kbd> pause
    </p>
  </header>`
}

function stamp(atMs: number | undefined): Html | undefined {
  return atMs === undefined ? undefined : html`<p class="note">at ${clockText(atMs)} UTC</p>`
}

function queryOf(url: string): URLSearchParams {
  const from = url.indexOf('?')
  return new URLSearchParams(from === -1 ? '' : url.slice(from).replace(/#.*/, ''))
}
