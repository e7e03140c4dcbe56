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
