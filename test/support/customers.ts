import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import type { GatewayProcess } from './gateway-process.ts'
import type { ShopAnswer } from './shop-process.ts'

const CUSTOMERS = 4
const ITEMS = 5
/** Between two items. Customers who do not stop to think would only keep the machine busy. */
const THOUGHT_MS = 20

/** Customers who fill carts at the shops behind a gateway, one cart after the other, until they are told to stop. */
export class Customers {
  /** Problems of customers: a status that is no success, or a cart that has lost items. */
  readonly problems: string[] = []
  readonly #gateway: GatewayProcess
  readonly #all: readonly Promise<void>[]
  #served = 0
  #isClosing = false

  constructor(gateway: GatewayProcess) {
    this.#gateway = gateway
    this.#all = Array.from({ length: CUSTOMERS }, async () => this.#shop())
    onTestFinished(async () => this.stop())
  }

  /** Settles when further carts were filled, more than are being filled now. */
  async goOn(): Promise<void> {
    const before = this.#served
    await expect.poll(() => this.#served, { timeout: 20_000 }).toBeGreaterThan(before + CUSTOMERS)
  }

  /** Settles when the carts of all are filled. */
  async stop(): Promise<void> {
    this.#isClosing = true
    await Promise.all(this.#all)
  }

  async #shop(): Promise<void> {
    while (!this.#isClosing) {
      const problem = await this.#fillCart().catch((error: unknown) => String(error))
      if (problem === undefined) this.#served += 1
      else this.problems.push(problem)
    }
  }

  /** Fills a cart, looks at it, and leaves. The problem that the customer had, if there was one. */
  async #fillCart(): Promise<string | undefined> {
    const browser = this.#gateway.browser()
    for (let item = 1; item <= ITEMS; item += 1) {
      const { status, text } = await browser.ask({ method: 'POST', path: '/cart' })
      if (status !== 200) return `status ${status}`
      const { id, items } = JSON.parse(text) as ShopAnswer
      if (items !== item) return `${items} of ${item} items at ${id}`
      await delay(THOUGHT_MS)
    }
    return undefined
  }
}
