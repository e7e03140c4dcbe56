import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'

/** Status codes that a cache may store without being told to (RFC 9110 §15.1). */
const CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501,
])

/**
 * Rewrites Cache-Control so that no shared cache stores a response with one session's cookie and serves it to
 * other clients. The directive is replaced, not added: given both `public` and `private`, caches differ in which
 * they obey. A response that no cache would store is left alone (HAProxy `nocache`).
 */
export function keepPrivate(
  exchange: { request: RequestHead; response: ResponseHead },
  fields: HeaderFields,
): void {
  const { method } = exchange.request
  if (method !== 'GET' && method !== 'HEAD') return
  const directives = cacheDirectives(fields['cache-control'])
  if (directives.some(directive => /^(?:no-store|private)$/i.test(directive))) return
  // An explicit directive is enough, whatever the status: a `302` with `max-age` is stored too (RFC 9111 §3).
  const isTold = directives.length > 0 || fields['expires'] !== undefined
  const hasValidator = fields['etag'] !== undefined || fields['last-modified'] !== undefined
  if (!isTold && !(hasValidator && CACHEABLE.has(exchange.response.statusCode))) return
  const kept = directives.filter(
    directive => !/^(?:public$|private=|s-maxage(?:=|$)|proxy-revalidate$)/i.test(directive),
  )
  fields['cache-control'] = ['private', ...kept].join(', ')
}

/** Split at commas outside quotes: `no-cache="a, b"` is one directive (RFC 9111 §5.2). */
function cacheDirectives(value: string | string[] | undefined): readonly string[] {
  if (value === undefined) return []
  const line = typeof value === 'string' ? value : value.join(', ')
  return (line.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [])
    .map(part => part.trim())
    .filter(part => part !== '')
}
