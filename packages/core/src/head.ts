/** Header lines as they stood on the wire: name, value, name, value … Names keep their case, lines their order. */
export type RawHeaders = readonly string[]

/** Header fields by lower-case name. A field that has several lines has them as an array. */
export type HeaderFields = Record<string, string | string[] | undefined>

/** What a client asked, as plain facts. Nothing in it is believed; see `client.ts` for what is. */
export interface RequestHead {
  readonly method: string
  /** The request target, byte for byte. */
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: RawHeaders
  /** The same lines by lower-case name, for look-ups. */
  readonly headers: Readonly<HeaderFields>
  /** The address at the other end of the socket, which may be a proxy's. */
  readonly remoteAddress: string | undefined
  /** The port of ours that was reached. */
  readonly localPort: number | undefined
  /** Whether the socket itself speaks TLS. */
  readonly encrypted: boolean
  /** Whether a body comes with it, by its framing (RFC 9112 §6). */
  readonly hasBody: boolean
}

/** The head of a backend's answer, before it goes to the client. */
export interface ResponseHead {
  readonly statusCode: number
  readonly headers: Readonly<HeaderFields>
}

/** What every Node server calls a request: `node:http`'s and `node:http2`'s message both have this shape. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly rawHeaders: string[]
  readonly headers: HeaderFields
  readonly socket: {
    readonly remoteAddress?: string | undefined
    readonly localPort?: number | undefined
    readonly encrypted?: unknown
  }
  /** HTTP/2's, which knows of a body that has no length. */
  readonly stream?: { readonly endAfterHeaders?: boolean } | undefined
}

/** Notes the facts of `message` that affinity needs. The message itself is not kept. */
export function requestHead(message: NodeRequest): RequestHead {
  const { headers, socket } = message
  const length = headers['content-length']
  return {
    method: message.method ?? '',
    url: message.url ?? '',
    httpVersion: message.httpVersion,
    rawHeaders: message.rawHeaders,
    headers,
    remoteAddress: socket.remoteAddress,
    localPort: socket.localPort,
    encrypted: socket.encrypted === true,
    hasBody:
      length === undefined
        ? hasUnmeasuredBody(message)
        : length !== '0' || headers['transfer-encoding'] !== undefined,
  }
}

function hasUnmeasuredBody({ headers, stream }: NodeRequest): boolean {
  return headers['transfer-encoding'] !== undefined || stream?.endAfterHeaders === false
}

/** Told by its pseudo-header fields (RFC 9113 §8.3.1): the version is whatever a client wrote. */
export function isHttp2({ headers }: RequestHead): boolean {
  return headers[':method'] !== undefined
}

/** The host that the client asked for: Host, or what HTTP/2 has in its place. */
export function requestedHost({ headers }: RequestHead): string | undefined {
  const host = headers['host'] ?? headers[':authority']
  return typeof host === 'string' ? host : undefined
}
