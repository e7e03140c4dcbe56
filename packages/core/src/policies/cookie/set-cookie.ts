import type { HeaderFields } from '../../head.ts'
import { blanksEnd, blanksStart } from '../../http/cookie-header.ts'
import type { CookieOptions } from './cookie-options.ts'

/** How long the browser is to keep it; absent for a cookie that ends with the browser's session. */
export interface Lifetime {
  readonly nowMs: number
  readonly maxAgeS: number
}

export type SetCookieLine = (value: string, secure: boolean, lifetime: Lifetime | undefined) => string

/** Compiles the attributes once; a line is then two or three strings joined (RFC 6265 §4.1). */
export function setCookieLine(options: CookieOptions): SetCookieLine {
  const { name, path, domain, httpOnly, sameSite, partitioned } = options
  const attributes = [
    `; Path=${path}`,
    domain === undefined ? '' : `; Domain=${domain}`,
    httpOnly ? '; HttpOnly' : '',
    sameSite === 'omit' ? '' : `; SameSite=${SAME_SITE[sameSite]}`,
    partitioned ? '; Partitioned' : '',
  ].join('')
  return (value, secure, lifetime) => {
    // Both, and computed now: old clients know only Expires, and one fixed at start would go stale.
    const kept =
      lifetime === undefined
        ? ''
        : `; Max-Age=${lifetime.maxAgeS}; Expires=${new Date(lifetime.nowMs + lifetime.maxAgeS * 1000).toUTCString()}`
    return `${name}=${value}${attributes}${secure ? '; Secure' : ''}${kept}`
  }
}

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

/** The name of the cookie that a Set-Cookie line sets. */
export function setCookieName(line: string): string {
  const equals = line.indexOf('=')
  const semicolon = line.indexOf(';')
  const end = semicolon >= 0 && (equals < 0 || semicolon < equals) ? semicolon : equals
  return (end < 0 ? line : line.slice(0, end)).trim()
}

/** The Set-Cookie lines of a response. */
export function setCookieLines(fields: Readonly<HeaderFields>): readonly string[] {
  const lines = fields['set-cookie']
  return lines === undefined ? [] : typeof lines === 'string' ? [lines] : lines
}

/**
 * The same Set-Cookie line with another value, as `map` makes it of the one that browsers take: without the blanks
 * round it (RFC 6265 §5.2). The line as it is when it has none, as one without `=`.
 */
export function withSetCookieValue(line: string, map: (value: string) => string): string {
  const semicolon = line.indexOf(';')
  const end = semicolon < 0 ? line.length : semicolon
  const equals = line.indexOf('=')
  if (equals < 0 || equals > end) return line
  const start = blanksEnd(line, equals + 1, end)
  return line.slice(0, equals + 1) + map(line.slice(start, blanksStart(line, start, end))) + line.slice(end)
}
