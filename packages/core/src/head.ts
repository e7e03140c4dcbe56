import { InvalidEditError } from './errors.ts'
import { effectiveLines } from './http/effective-lines.ts'
import { clientNominations } from './http/nominations.ts'
import type { HeaderEdits } from './http/header-edits.ts'
import type { HeaderFields, NodeRequest, RequestHead } from './http/heads.ts'
import { isSendable, isUnparsable } from './http/target.ts'

export type {
  HeaderFields,
  NodeRequest,
  RawHeaders,
  RequestEdits,
  RequestHead,
  ResponseHead,
} from './http/heads.ts'

/** An application's view of a request, where its framework keeps that apart from Node's message. */
export interface RequestView {
  /** The request target for the backend. @default message.url */
  readonly url?: string | undefined
  /**
   * The request target for the backend where it differs from the one that affinity reads: cookies, `route` and `ignore`
   * are about the client's path. Origin-form. @default url
   */
  readonly target?: string | undefined
  /** The request target as the client sent it. @default message.originalUrl */
  readonly originalUrl?: string | undefined
  /** The header fields as the application sees them. @default message.headers */
  readonly headers?: HeaderFields | undefined
}

/**
 * Notes the facts of `message` that affinity needs, and the message itself for events. The application's word counts: a
 * field that it has set, replaced or removed in `headers` is so in the result. Fields that frame the message or belong
 * to the connection are always those of `rawHeaders`.
 * @param edits of an operator, which are made last
 * @throws InvalidEditError for an edit that cannot be sent
 */
export function requestHead(
  message: NodeRequest,
  view: RequestView = NO_VIEW,
  edits?: HeaderEdits,
): RequestHead {
  const { rawHeaders, socket } = message
  const given = view.headers ?? message.headers
  const effective = effectiveLines(rawHeaders, given, edits)
  const headers = effective === undefined ? given : effective.headers
  const length = headers['content-length']
  return {
    method: checkedMethod(message.method),
    url: checkedUrl(view.url ?? message.url ?? '', view.originalUrl ?? wireUrl(message)),
    target: view.target === undefined ? undefined : checkedTarget(view.target),
    httpVersion: message.httpVersion,
    rawHeaders: effective === undefined ? rawHeaders : effective.rawHeaders,
    headers,
    edits: effective === undefined ? undefined : { names: effective.names, wire: rawHeaders },
    nominated: clientNominations(headers['connection'], given),
    remoteAddress: socket.remoteAddress,
    localPort: socket.localPort,
    encrypted: socket.encrypted === true,
    hasBody:
      length === undefined
        ? hasUnmeasuredBody(headers, message)
        : length !== '0' || headers['transfer-encoding'] !== undefined,
    message,
  }
}

const NO_VIEW: RequestView = {}

function hasUnmeasuredBody(headers: HeaderFields, { stream }: NodeRequest): boolean {
  return headers['transfer-encoding'] !== undefined || stream?.endAfterHeaders === false
}

/** The target as the client sent it; undefined where an edit would leave no trace of it. */
function wireUrl({ originalUrl, rawHeaders, stream }: NodeRequest): string | undefined {
  if (originalUrl !== undefined || stream === undefined) return originalUrl
  // Names stand at even places; a client's value may be the same text.
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index] === ':path') return rawHeaders[index + 1]
  return undefined
}

/** No client's: parsers of requests let only a token pass. A method such as `5` would count as the failure of a backend. */
function checkedMethod(method: unknown): string {
  if (method === undefined) return ''
  if (typeof method !== 'string' || !METHOD.test(method))
    throw new InvalidEditError('method', 'is no method of HTTP')
  return method
}

/** RFC 9110 §9.1. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A client's own target is refused later, where it is malformed. */
function checkedUrl(url: unknown, original: string | undefined): string {
  if (typeof url !== 'string') throw new InvalidEditError('url', 'is no string')
  if (url === original) return url
  if (original === undefined ? isUnparsable(url) : !isSendable(url))
    throw new InvalidEditError('url', 'is empty or has a character that no request target may have')
  if (original !== undefined && !url.startsWith('/'))
    throw new InvalidEditError('url', 'does not begin with /')
  return url
}

function checkedTarget(target: string): string {
  if (!isSendable(target) || !target.startsWith('/'))
    throw new InvalidEditError('url', 'has a character that no request target may have')
  return target
}

/** HTTP/2 has pseudo-header fields (RFC 9113 §8.3.1); the version is any text that a client sends. */
export function isHttp2({ headers }: RequestHead): boolean {
  return headers[':method'] !== undefined
}

/** The host that the client requested: Host, or HTTP/2's field in its place. */
export function requestedHost({ headers }: RequestHead): string | undefined {
  const host = headers['host'] ?? headers[':authority']
  return typeof host === 'string' ? host : undefined
}
