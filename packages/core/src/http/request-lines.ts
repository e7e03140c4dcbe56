import type { Client } from './client.ts'
import { isHttp2, type RequestHead, requestedHost } from '../head.ts'
import { appendForwarded, isForwardingField } from './forwarded.ts'
import { foldedName } from './folded-name.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'
import { nameTable } from './name-table.ts'

export interface RequestLinesOptions {
  /** Rewrites one line of Cookie; `''` leaves it out. */
  readonly forwardCookie: (line: string) => string
  /** The Host to send; undefined keeps the client's. */
  readonly host: string | undefined
  /** The Host to send for a client that sent none (HTTP/1.0). */
  readonly fallbackHost: string
}

/**
 * The header lines for a backend, in the client's order and spelling. Hop-by-hop fields and the client's own
 * forwarding fields are removed, and ours are added. Lines that the application has edited stay, whatever the
 * client nominates in Connection. Framing is the forwarder's to write; Content-Length
 * stays, because it is the message's.
 */
export function requestLines(request: RequestHead, client: Client, options: RequestLinesOptions): string[] {
  const { rawHeaders, headers } = request
  const edited = request.edits?.names ?? NONE
  const nominated = request.nominated ?? nominatedFields(headers['connection'])
  const lines: string[] = []
  if (options.host !== undefined || headers['host'] === undefined) {
    lines.push('Host', options.host ?? requestedHost(request) ?? options.fallbackHost)
  }
  // HTTP/2 cuts one Cookie header into crumbs; HTTP/1 is to see one again (RFC 9113 §8.2.3).
  const crumbs = isHttp2(request) ? joinedCookie(headers['cookie'], options) : undefined
  if (crumbs !== undefined && crumbs !== '') lines.push('Cookie', crumbs)

  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (!mayConcern(name)) {
      if (nominated.size === 0 || !isNominated(name, nominated, edited)) lines.push(name, value)
      continue
    }
    const lower = name.toLowerCase()
    if (lower === 'cookie') {
      const forwarded = crumbs === undefined ? options.forwardCookie(value) : ''
      if (forwarded !== '') lines.push(name, forwarded)
    } else if (lower === 'host') {
      if (options.host === undefined) lines.push(name, value)
    } else if (edited.has(lower) || (!isDropped(lower) && !nominated.has(lower))) {
      lines.push(name, value)
    }
  }
  appendForwarded(lines, request, client)
  return lines
}

const NONE: ReadonlySet<string> = new Set()

/** A client cannot nominate a field that the application has set. */
function isNominated(name: string, nominated: ReadonlySet<string>, edited: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase()
  return nominated.has(lower) && !edited.has(lower)
}

/**
 * `Expect` has been answered by the server already; a name that begins with a colon is HTTP/2's. A backend that reads
 * `_` as `-` must not find a second framing, or a field of the connection.
 */
function isDropped(lowerName: string): boolean {
  return (
    HOP_BY_HOP.has(foldedName(lowerName)) ||
    lowerName === 'content_length' ||
    lowerName === 'expect' ||
    lowerName.startsWith(':') ||
    isForwardingField(lowerName)
  )
}

function joinedCookie(cookie: string | string[] | undefined, options: RequestLinesOptions): string {
  if (cookie === undefined) return ''
  return options.forwardCookie(typeof cookie === 'string' ? cookie : cookie.join('; '))
}

/** HTTP/2's own names and x-forwarded-* come in every length. */
const mayConcern = nameTable([
  ...HOP_BY_HOP,
  'cookie',
  'host',
  'expect',
  'content_length',
  'forwarded',
  ...Array.from({ length: 63 }, (_, length) => ':'.padEnd(length + 1, 'x')),
  ...Array.from({ length: 55 }, (_, length) => 'x'.padEnd(length + 9, 'x')),
])
