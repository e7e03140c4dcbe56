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
}

/** Whether two cookies of one host would overwrite or shadow each other: one name, and a target that is in both paths. */
export function cookiesCollide(a: WrittenCookie, b: WrittenCookie): boolean {
  return a.name === b.name && (isInCookiePath(a.path, b.path) || isInCookiePath(b.path, a.path))
}
