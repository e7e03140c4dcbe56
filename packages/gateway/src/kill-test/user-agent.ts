import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { CookieJar } from 'tough-cookie'
import { Agent, request } from 'undici'
import { StepFailure } from './step-failure.ts'
import type { TargetGuard } from './target.ts'

/** Longest body, in bytes, that is read. */
export const MAX_REPLY = 1024 * 1024

/** A request as a step has it. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: no body. Called again for a redirect that repeats the body. */
  readonly body: ((signal: AbortSignal) => AsyncIterable<Buffer> | string) | undefined
}

export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** The browser state of one user: cookies and connections. */
export class UserAgent {
  readonly jar = new CookieJar()
  readonly localAddress: string | undefined
  readonly #guard: TargetGuard
  readonly #redirects: number
  readonly #agent: Agent

  constructor(guard: TargetGuard, redirects: number, localAddress: string | undefined) {
    this.#guard = guard
    this.#redirects = redirects
    this.localAddress = localAddress
    this.#agent = new Agent({
      // A browser has as many to one host, over HTTP/1.1.
      connections: 6,
      connect: { lookup: guard.lookup },
      ...(localAddress !== undefined && { localAddress }),
    })
  }

  /**
   * Sends a request and follows its redirects.
   * @throws StepFailure when there are too many of them, or one leads to another host; other errors are the network's
   */
  async ask(asked: Asked, signal: AbortSignal): Promise<Received> {
    let next = asked
    for (let hops = 0; ; hops += 1) {
      const received = await this.#send(next, signal)
      const location = received.headers['location']
      if (!isRedirect(received.status) || typeof location !== 'string' || this.#redirects === 0)
        return received
      if (hops === this.#redirects)
        throw new StepFailure(
          'unexpected',
          `more than ${this.#redirects} redirects, the last one to ${location}`,
        )
      next = await this.#redirected(next, received.status, location)
    }
  }

  /** The Cookie field for a URL; undefined without cookies. */
  async cookiesFor(url: URL): Promise<string | undefined> {
    const cookies = await this.jar.getCookieString(url.href)
    return cookies === '' ? undefined : cookies
  }

  /** A cookie that the jar refuses is no error: a browser ignores it, too. */
  async keepCookies(url: URL, fields: string | readonly string[] | undefined): Promise<void> {
    for (const field of fields === undefined ? [] : [fields].flat())
      await this.jar.setCookie(field, url.href, { ignoreError: true })
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #send({ method, url, headers, body }: Asked, signal: AbortSignal): Promise<Received> {
    const cookie = await this.cookiesFor(url)
    const content = body?.(signal)
    const {
      statusCode,
      headers: fields,
      body: stream,
    } = await request(url, {
      method,
      headers: { ...headers, ...(cookie !== undefined && { cookie }) },
      body: typeof content === 'object' ? Readable.from(content) : (content ?? null),
      dispatcher: this.#agent,
      signal,
    })
    await this.keepCookies(url, fields['set-cookie'])
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of stream as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > MAX_REPLY) throw new StepFailure('unexpected', `body is longer than ${MAX_REPLY} bytes`)
      pieces.push(piece)
    }
    return { status: statusCode, headers: fields, text: Buffer.concat(pieces).toString() }
  }

  /** RFC 9110, 15.4: 303 makes any method but HEAD a GET; 301 and 302 do so to POST, as browsers have it. */
  async #redirected(asked: Asked, status: number, location: string): Promise<Asked> {
    const url = URL.parse(location, asked.url.href)
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new StepFailure('unexpected', `redirect to ${location}, which is no HTTP address`)
    if (url.hostname !== asked.url.hostname || isIP(url.hostname) !== 0) await this.#checkHost(url)
    const isGet = status === 303 ? asked.method !== 'HEAD' : status < 303 && asked.method === 'POST'
    if (!isGet) return { ...asked, url }
    const headers = Object.entries(asked.headers).filter(([name]) => !/^content-/i.test(name))
    return { method: 'GET', url, headers: Object.fromEntries(headers), body: undefined }
  }

  async #checkHost(url: URL): Promise<void> {
    try {
      await this.#guard.check(url.hostname)
    } catch (error) {
      throw new StepFailure('unexpected', `redirect refused: ${(error as Error).message}`, { cause: error })
    }
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}
