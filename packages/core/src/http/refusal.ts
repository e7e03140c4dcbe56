import { RefusedRequestError } from '../errors.ts'
import { isHttp2, type RequestHead } from '../head.ts'
import { isAuthority } from './authority.ts'
import { isSendable } from './target.ts'

/**
 * The error for a request that must be refused, or undefined. A message that two parties could read in two ways is
 * never repaired (RFC 9112 §11.2), because the next party in the chain may read it the other way.
 * Node's parser refuses the worst already; this is for the rest.
 */
export function refusal(request: RequestHead): RefusedRequestError | undefined {
  const { method, httpVersion } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && !isHttp2(request)) {
    return new RefusedRequestError(505, 'version', 'HTTP version not supported')
  }
  // A gateway does not open tunnels to hosts of the client's choice.
  if (method === 'CONNECT') return new RefusedRequestError(501, 'method', 'CONNECT is not supported')
  return framingRefusal(request) ?? hostRefusal(request) ?? targetRefusal(request)
}

/** RFC 9112 §6.1, §6.3: at most one length, and no coding but chunked. */
function framingRefusal({ headers, rawHeaders, httpVersion }: RequestHead): RefusedRequestError | undefined {
  const coding = headers['transfer-encoding']
  if (coding === undefined) {
    return headers['content-length'] !== undefined && countLines(rawHeaders, 'content-length') > 1
      ? new RefusedRequestError(400, 'framing', 'Content-Length is repeated')
      : undefined
  }
  if (headers['content-length'] !== undefined || httpVersion === '1.0') {
    return new RefusedRequestError(400, 'framing', 'Transfer-Encoding beside Content-Length, or in HTTP/1.0')
  }
  return typeof coding === 'string' && coding.toLowerCase() === 'chunked'
    ? undefined
    : new RefusedRequestError(501, 'framing', 'the only transfer coding is chunked')
}

/** RFC 9112 §3.2: exactly one Host, and a sound one; HTTP/1.0 may leave it out, and HTTP/2 has `:authority` (RFC 9113 §8.3.1). */
function hostRefusal({
  headers,
  rawHeaders,
  httpVersion,
  edits,
}: RequestHead): RefusedRequestError | undefined {
  const authority = headers[':authority']
  const host = headers['host'] ?? authority
  if (host === undefined) {
    return httpVersion === '1.1' && edits?.names.has('host') !== true
      ? new RefusedRequestError(400, 'host', 'Host is missing')
      : undefined
  }
  if (typeof host !== 'string' || !isAuthority(host))
    return new RefusedRequestError(400, 'host', 'Host is malformed')
  if (authority !== undefined && String(authority).toLowerCase() !== host.toLowerCase())
    return new RefusedRequestError(400, 'host', 'Host contradicts :authority')
  if (countLines(rawHeaders, 'host') > 1) return new RefusedRequestError(400, 'host', 'Host is repeated')
  return undefined
}

/** RFC 9112 §3.2.1 to §3.2.4. */
function targetRefusal(request: RequestHead): RefusedRequestError | undefined {
  // It asks about a server as a whole, and a gateway is many; nor can undici say it.
  if (request.url === '*' && request.method === 'OPTIONS') {
    return new RefusedRequestError(501, 'target', 'OPTIONS * is not forwarded')
  }
  return isSoundTarget(request)
    ? undefined
    : new RefusedRequestError(400, 'target', 'the request target is malformed')
}

function isSoundTarget({ url, headers, edits }: RequestHead): boolean {
  if (!isSendable(url)) return false
  if (url.charCodeAt(0) === SLASH) return true
  // A party that routes by one must not be contradicted by the other.
  const authority = absoluteForm(url)?.authority.toLowerCase()
  if (authority === undefined) return false
  if (authority === String(headers['host']).toLowerCase()) return true
  // The client has not contradicted itself where only an edit of Host differs.
  return edits !== undefined && authority === lineOf(edits.wire, 'host')?.toLowerCase()
}

/** The target as a backend is to get it: origin-form (RFC 9112 §3.2.1), the path byte for byte. */
export function originForm(url: string): string {
  return url.charCodeAt(0) === SLASH ? url : (absoluteForm(url)?.path ?? url)
}

function absoluteForm(url: string): { authority: string; path: string } | undefined {
  const scheme = /^https?:\/\//i.exec(url)
  if (scheme === null) return undefined
  const rest = url.slice(scheme[0].length)
  const end = rest.search(/[/?]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const path = end < 0 ? '/' : rest.slice(end)
  return { authority, path: path.startsWith('?') ? `/${path}` : path }
}

const SLASH = 47

function lineOf(lines: readonly string[], name: string): string | undefined {
  const at = lines.findIndex((line, index) => index % 2 === 0 && line.toLowerCase() === name)
  return at < 0 ? undefined : lines[at + 1]
}

function countLines(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const line = rawHeaders[index]
    if (line !== undefined && line.length === name.length && line.toLowerCase() === name) count += 1
  }
  return count
}
