import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { ShopAnswer } from './shop-process.ts'
import { Browser } from './browser.ts'

/** One request of a customer. */
export interface Purchase {
  /** Its X-Request-Id. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** 0 when there was no answer, or not all of it. */
  readonly status: number
  readonly startedMs: number
  readonly endedMs: number
}

/** So that the machine is busy and not drowned: a request that waits for a turn of this process tells nothing. */
const THOUGHT_MS = 20

/** A client of `shop.ts` that keeps its connection and its cookies, does one thing after the other, and checks its cart. */
export class Customer {
  readonly purchases: Purchase[] = []
  /** The shops that it came to, one after the other. */
  readonly shops: string[] = []
  /** How often it was given our cookie. */
  cookies = 0
  /** Differences between the cart, or the request, and the expected ones. */
  readonly mistakes: string[] = []
  readonly #browser: Browser
  readonly #number: number
  #items = 0

  constructor(port: number, number: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    this.#browser = new Browser(port, { agent })
    this.#number = number
  }

  /** The shop that its session began in. */
  get first(): string | undefined {
    return this.shops[0]
  }

  /** Looks and buys in turn until that is enough, with a thought in between. */
  async shopUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      await this.buy(this.purchases.length % 2 === 0 ? 'GET' : 'POST')
      // Not all at the same moment.
      await delay(THOUGHT_MS + (this.#number % 20))
    }
  }

  async buy(method: 'GET' | 'POST'): Promise<Purchase> {
    const name = `${this.#number}-${this.purchases.length}`
    const body = method === 'POST' ? 'x'.repeat(1 + ((this.purchases.length * 997) % 20_000)) : undefined
    const startedMs = performance.now()
    const headers = { 'X-Request-Id': name }
    const answer = await this.#browser
      .ask({ method, path: '/cart', headers, ...(body !== undefined && { body }) })
      .catch(() => undefined)
    const status = answer?.complete === true ? answer.status : 0
    const purchase = { name, method, status, startedMs, endedMs: performance.now() }
    this.purchases.push(purchase)
    this.cookies += answer?.cookies('SERVERID').length ?? 0
    if (answer !== undefined && status === 200)
      this.#check(purchase, JSON.parse(answer.text) as ShopAnswer, body?.length ?? 0)
    return purchase
  }

  #check({ name, method }: Purchase, { id, items, bytes }: ShopAnswer, sent: number): void {
    if (id !== this.shops.at(-1)) {
      // Another shop knows nothing of the cart: that is what affinity is for.
      this.shops.push(id)
      this.#items = 0
    }
    if (method === 'POST') this.#items += 1
    if (items !== this.#items) this.mistakes.push(`${name}: ${items} items in ${id}, not ${this.#items}`)
    if (bytes !== sent) this.mistakes.push(`${name}: ${bytes} bytes came to ${id}, not ${sent}`)
  }
}
