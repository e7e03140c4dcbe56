import { Client } from 'undici'
import { COOKIES, cookiesWith, HEADERS } from './browser.ts'

/** Browsers, each of which asks one thing after the other on a connection of its own. */
export class Browsers {
  readonly #all: readonly { readonly client: Client; cookie: string }[]

  constructor(url: string, count: number) {
    this.#all = Array.from({ length: count }, () => ({ client: new Client(url), cookie: COOKIES }))
  }

  /** So many requests, by all of them together. */
  async ask(requests: number): Promise<void> {
    await Promise.all(
      this.#all.map(async browser => {
        for (let count = 0; count < requests / this.#all.length; count += 1) {
          const { statusCode, headers, body } = await browser.client.request({
            method: 'GET',
            path: '/api/items?page=2',
            headers: { ...HEADERS, cookie: browser.cookie },
          })
          if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
          await body.dump()
          const setCookie = headers['set-cookie']
          if (setCookie !== undefined) browser.cookie = cookiesWith(setCookie)
        }
      }),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(async ({ client }) => client.close()))
  }
}
