/** Whether a browser would send a cookie of `cookiePath` with a request for `target` (RFC 6265 §5.1.4). */
export function isInCookiePath(target: string, cookiePath: string): boolean {
  if (cookiePath === '/') return true
  if (!target.startsWith(cookiePath)) return false
  if (cookiePath.endsWith('/')) return true
  const next = target[cookiePath.length]
  return next === undefined || next === '/' || next === '?' || next === '#'
}

/** A cookie that a gateway or an application writes. */
export interface WrittenCookie {
  readonly name: string
  readonly path: string
  /** The hosts that browsers send it to: this one and all below it. @default the host of the response alone */
  readonly domain?: string | undefined
}

/** Whether two cookies of one host would overwrite or shadow each other: one name, and a target that is in both paths. */
export function cookiesCollide(a: WrittenCookie, b: WrittenCookie): boolean {
  return a.name === b.name && (isInCookiePath(a.path, b.path) || isInCookiePath(b.path, a.path))
}

/**
 * Whether two cookies collide whatever hosts they are written for, because both have a domain, and one contains the
 * other: a browser that visits two hosts of the domain has one cookie for both.
 */
export function cookiesCollideAcrossHosts(a: WrittenCookie, b: WrittenCookie): boolean {
  if (a.domain === undefined || b.domain === undefined) return false
  return cookiesCollide(a, b) && (isInDomain(a.domain, b.domain) || isInDomain(b.domain, a.domain))
}

/** Whether a host is `domain`, or below it; dots before the names count for nothing (RFC 6265 §5.2.3). */
function isInDomain(host: string, domain: string): boolean {
  return `.${host}`.toLowerCase().endsWith(`.${domain.replace(/^\./, '')}`.toLowerCase())
}
