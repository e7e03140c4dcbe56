import type { Client } from './client.ts'
import { isHttp2, type RequestHead, requestedHost } from '../head.ts'
import { appendForwarded, isForwardingField } from './forwarded.ts'
import { foldedName } from './folded-name.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'
import { nameTable } from './name-table.ts'
import { OWN_FIELDS } from './own-fields.ts'

/** One line's value, as the backend is to see it; `''` leaves the line out. */
export type ForwardField = (value: string, request: RequestHead) => string

/** The changes that policies make to the fields of a request for a backend. */
export interface FieldForwarding {
  /** False for nearly every name whose lines pass as they are, in any case of letters. */
  readonly mayConcern: (name: string) => boolean
  /** By the name in lower case. */
  readonly byName: ReadonlyMap<string, ForwardField>
}

export interface RequestLinesOptions {
  readonly forwarding: FieldForwarding
  /** The Host to send; undefined keeps the client's. */
  readonly host: string | undefined
  /** The Host to send for a client that sent none (HTTP/1.0). */
  readonly fallbackHost: string
}

/**
 * The header lines for a backend, in the client's order and spelling. Hop-by-hop fields and the client's own
 * forwarding fields are removed, ours are added, and fields for limpet alone are left out. Lines that the application has edited stay, whatever the
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
  const { mayConcern, byName } = options.forwarding
  const forwardCookie = byName.get('cookie')
  const crumbs = isHttp2(request) ? joinedCookie(request, forwardCookie) : undefined
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
      if (crumbs === undefined) pushForwarded(lines, name, value, forwardCookie, request)
    } else if (lower === 'host') {
      if (options.host === undefined) lines.push(name, value)
    } else if (OWN_FIELDS.has(foldedName(lower))) {
      continue
    } else if (edited.has(lower) || (!isDropped(lower) && !nominated.has(lower))) {
      pushForwarded(lines, name, value, byName.get(lower), request)
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

function pushForwarded(
  lines: string[],
  name: string,
  value: string,
  forward: ForwardField | undefined,
  request: RequestHead,
): void {
  const forwarded = forward === undefined ? value : forward(value, request)
  if (forward === undefined || forwarded !== '') lines.push(name, forwarded)
}

function joinedCookie(request: RequestHead, forward: ForwardField | undefined): string {
  const { cookie } = request.headers
  if (cookie === undefined) return ''
  const line = typeof cookie === 'string' ? cookie : cookie.join('; ')
  return forward === undefined ? line : forward(line, request)
}

const CONCERNED: readonly string[] = [
  ...HOP_BY_HOP,
  'cookie',
  'host',
  'expect',
  'content_length',
  'forwarded',
  ...OWN_FIELDS,
  // HTTP/2's own names and x-forwarded-* come in every length.
  ...Array.from({ length: 63 }, (_, length) => ':'.padEnd(length + 1, 'x')),
  ...Array.from({ length: 55 }, (_, length) => 'x'.padEnd(length + 9, 'x')),
]

/** A quick filter for the names of fields that do not simply pass: those of every gateway, and `names`. */
export function mayConcernAlso(names: Iterable<string>): (name: string) => boolean {
  return nameTable([...CONCERNED, ...names])
}
