/** Header lines as they stood on the wire: name, value, name, value … Names keep their case, lines their order. */
export type RawHeaders = readonly string[]

/** Header fields by lower-case name. A field that has several lines has them as an array. */
export type HeaderFields = Record<string, string | string[] | undefined>

/** The shape of a request in every Node server: `node:http`'s and `node:http2`'s message both have it. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The request target as the client sent it, where a framework has kept it before an edit. */
  readonly originalUrl?: string | undefined
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

/** The head of a request as plain data. Nothing in it is trusted; `client.ts` decides which parts are. */
export interface RequestHead {
  readonly method: string
  /** The request target, byte for byte. */
  readonly url: string
  /** The request target for the backend, in origin-form, where a gateway has rewritten it. @default url */
  readonly target?: string | undefined
  readonly httpVersion: string
  /** The header lines: those of the client, with the edits of the application. */
  readonly rawHeaders: RawHeaders
  /** The same lines by lower-case name, for look-ups. */
  readonly headers: Readonly<HeaderFields>
  /** The application's edits. Absent: every line is the client's. */
  readonly edits?: RequestEdits | undefined
  /**
   * The fields that the client's Connection removes, in lower case: never one of the application's.
   * @default all that it nominates
   */
  readonly nominated?: ReadonlySet<string> | undefined
  /** The address at the other end of the socket, which may be a proxy's. */
  readonly remoteAddress: string | undefined
  /** The port of ours that was reached. */
  readonly localPort: number | undefined
  /** Whether the socket itself speaks TLS. */
  readonly encrypted: boolean
  /** Whether a body comes with it, by its framing (RFC 9112 §6). */
  readonly hasBody: boolean
  /** Whether it opens a tunnel, as a WebSocket: it is never sent twice. @default false */
  readonly isHandshake?: boolean
  /** Node's message, for listeners of events. Affinity does not read it. */
  readonly message?: NodeRequest | undefined
}

/** The application's edits of a request's header. */
export interface RequestEdits {
  /** The fields that were set, replaced or removed, in lower case. A client's `Connection` does not remove them. */
  readonly names: ReadonlySet<string>
  /** The header lines of the client, before the edits. */
  readonly wire: RawHeaders
}

/** The head of a backend's response, before it goes to the client. */
export interface ResponseHead {
  readonly statusCode: number
  readonly headers: Readonly<HeaderFields>
}
