import { Client } from 'undici'
import { cookiesWith, type Load, LOADS } from './browser.ts'

/** Browsers, each of which asks one thing after the other on a connection of its own. */
export class Browsers {
  readonly #load: Load
  readonly #all: readonly { readonly client: Client; cookie: string }[]

  constructor(url: string, count: number, load: Load = LOADS.browser) {
    this.#load = load
    this.#all = Array.from({ length: count }, () => ({ client: new Client(url), cookie: load.cookies }))
  }

  /** So many requests, by all of them together. */
  async ask(requests: number): Promise<void> {
    const { headers, cookies } = this.#load
    await Promise.all(
      this.#all.map(async browser => {
        for (let count = 0; count < requests / this.#all.length; count += 1) {
          const {
            statusCode,
            headers: fields,
            body,
          } = await browser.client.request({
            method: 'GET',
            path: '/api/items?page=2',
            headers: browser.cookie === '' ? headers : { ...headers, cookie: browser.cookie },
          })
          if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
          await body.dump()
          const setCookie = fields['set-cookie']
          if (setCookie !== undefined) browser.cookie = cookiesWith(setCookie, cookies)
        }
      }),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(async ({ client }) => client.close()))
  }
}
