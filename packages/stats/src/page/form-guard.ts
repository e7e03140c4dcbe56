import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { PageError } from './page-error.ts'

const HOUR_MS = 3_600_000

/**
 * Keeps changes to the forms of this page. A browser says where a request comes from; and a form carries a token that
 * holds for the credentials it was shown to, for one to two hours, in this process.
 */
export class FormGuard {
  readonly #key = randomBytes(32)
  readonly #now: () => number

  /** @param now milliseconds of a clock that is never set back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  token(credentials: string): string {
    return this.#tokenOf(credentials, this.#hour)
  }

  /** @throws PageError for a request that no form of this page has sent */
  check(headers: IncomingHttpHeaders, credentials: string, token: string | null): void {
    if (!isSameOrigin(headers)) throw new PageError(403, 'No page of another site changes anything.')
    const hour = this.#hour
    const isOurs = [hour, hour - 1].some(one => isEqual(this.#tokenOf(credentials, one), token ?? ''))
    if (!isOurs) throw new PageError(403, 'The form is too old. Go back to the list and try again.')
  }

  get #hour(): number {
    return Math.floor(this.#now() / HOUR_MS)
  }

  #tokenOf(credentials: string, hour: number): string {
    return createHmac('sha256', this.#key).update(`${hour} ${credentials}`).digest('base64url')
  }
}

/**
 * Browsers send Sec-Fetch-Site to https and to loopback, and Origin with each POST. The scheme of Origin is not compared:
 * TLS may have ended before this server.
 */
function isSameOrigin({ 'sec-fetch-site': site, origin, host = '' }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin') return false
  if (origin !== undefined)
    return URL.parse(origin)?.host === URL.parse(`http://${host}`)?.host && origin !== 'null'
  return site !== undefined
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
