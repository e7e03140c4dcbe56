import { Agent } from 'node:http'
import { Browser } from '../support/browser.ts'
import type { ShopAnswer } from '../support/shop-process.ts'

/** One request of a visitor. Times are milliseconds since the epoch. */
export interface Visit {
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** 0 when there was no answer, or not all of it. */
  readonly status: number
  readonly retryAfter: string | undefined
  readonly startedMs: number
  readonly endedMs: number
  /** The shop that had the visitor's cart before. */
  readonly home: string | undefined
}

export interface Move {
  readonly from: string
  readonly to: string
  readonly atMs: number
  /** Items of the cart that another shop does not know. */
  readonly items: number
}

/** A client with a cookie jar, a kept connection, and a cart. */
export class Visitor {
  readonly number: number
  readonly visits: Visit[] = []
  readonly moves: Move[] = []
  /** Items that were gone although the shop was the same. */
  lost = 0
  home: string | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #browser: Browser
  #items = 0

  constructor(port: number, number: number) {
    this.number = number
    this.#browser = new Browser(port, { agent: this.#agent })
  }

  /** Looks three times, and buys the fourth. */
  async visit(): Promise<void> {
    const method = this.visits.length % 4 === 3 ? 'POST' : 'GET'
    const name = `${this.number}-${this.visits.length}`
    const { home } = this
    const startedMs = Date.now()
    const answer = await this.#browser
      .ask({
        method,
        path: '/cart',
        headers: { 'X-Request-Id': name },
        ...(method === 'POST' && { body: 'apple' }),
      })
      .catch(() => undefined)
    const status = answer?.complete === true ? answer.status : 0
    const retryAfter = answer?.header('retry-after')
    const endedMs = Date.now()
    this.visits.push({ name, method, status, retryAfter, startedMs, endedMs, home })
    if (answer !== undefined && status === 200)
      this.#note(JSON.parse(answer.text) as ShopAnswer, method, endedMs)
  }

  leave(): void {
    this.#agent.destroy()
  }

  #note({ id, items }: ShopAnswer, method: string, atMs: number): void {
    const bought = method === 'POST' ? 1 : 0
    if (this.home !== undefined && id !== this.home)
      this.moves.push({ from: this.home, to: id, atMs, items: this.#items })
    // A purchase whose answer was lost may have been made.
    else if (items < this.#items + bought) this.lost += this.#items + bought - items
    this.home = id
    this.#items = items
  }
}
