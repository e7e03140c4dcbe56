import { type BackendResponse, ask, type Asked } from './http-client.ts'

/** A client that keeps its cookies, by name alone. */
export class Browser {
  readonly port: number
  readonly cookies = new Map<string, string>()
  /** Settings of every request, such as an agent for keep-alive. */
  readonly #always: Asked

  constructor(port: number, always: Asked = {}) {
    this.port = port
    this.#always = always
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async ask(asked: Asked = {}): Promise<BackendResponse> {
    const cookie = this.cookies.size === 0 ? {} : { Cookie: this.cookieHeader }
    const answer = await ask(this.port, {
      ...this.#always,
      ...asked,
      headers: { ...cookie, ...asked.headers },
    })
    for (const line of answer.cookies()) {
      const [pair = ''] = line.split(';', 1)
      const equals = pair.indexOf('=')
      this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    return answer
  }

  /** Asks by GET and says which backend answered. */
  async visit(path = '/'): Promise<string> {
    return (await this.ask({ path })).echo.id
  }
}
