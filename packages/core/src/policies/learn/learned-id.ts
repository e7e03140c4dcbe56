import { blanksEnd, blanksStart } from '../../http/cookie-header.ts'
import { setCookieLines, setCookieName } from '../cookie/set-cookie.ts'
import type { ResponseHead } from '../../head.ts'

/** A response's news of a session: it begins or continues with this id, or it has ended. */
export interface SessionNews {
  readonly id: string | undefined
  readonly hasEnded: boolean
}

const NO_NEWS: SessionNews = { id: undefined, hasEnded: false }

/** The news in the field called `name`; a repeated field is ignored. */
export function newsInHeader({ headers }: ResponseHead, name: string): SessionNews {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return typeof value === 'string' && value !== '' ? { id: value, hasEnded: false } : NO_NEWS
}

/** The news in the Set-Cookie lines of this name; of several values a browser keeps the last. */
export function newsInCookie({ headers }: ResponseHead, name: string, nowMs: number): SessionNews {
  if (headers['set-cookie'] === undefined) return NO_NEWS
  let news = NO_NEWS
  for (const line of setCookieLines(headers)) {
    if (setCookieName(line) !== name) continue
    const [pair = '', ...attributes] = line.split(';')
    // A value without a name.
    if (!pair.includes('=')) continue
    const value = unquoted(pair.slice(pair.indexOf('=') + 1))
    const hasEnded = value === '' || isDeletion(attributes, nowMs)
    news = { id: hasEnded ? news.id : value, hasEnded: hasEnded || news.hasEnded }
  }
  return news
}

function unquoted(value: string): string {
  // By hand: a pattern for the blanks at the end would be tried at every blank of the middle.
  const start = blanksEnd(value, 0, value.length)
  const trimmed = value.slice(start, blanksStart(value, start, value.length))
  return /^".*"$/s.test(trimmed) ? trimmed.slice(1, -1) : trimmed
}

/** Max-Age is stronger than Expires, and the last of each counts (RFC 6265 §5.3). */
function isDeletion(attributes: readonly string[], nowMs: number): boolean {
  let maxAge: string | undefined
  let expires = ''
  for (const attribute of attributes) {
    const equals = attribute.indexOf('=')
    if (equals < 0) continue
    const key = attribute.slice(0, equals).trim().toLowerCase()
    if (key === 'max-age') maxAge = attribute.slice(equals + 1).trim()
    else if (key === 'expires') expires = attribute.slice(equals + 1).trim()
  }
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0
  return Date.parse(expires) <= nowMs
}
