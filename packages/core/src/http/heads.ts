/** Header lines as they stood on the wire: name, value, name, value … Names keep their case, lines their order. */
export type RawHeaders = readonly string[]

/** Header fields by lower-case name. A field that has several lines has them as an array. */
export type HeaderFields = Record<string, string | string[] | undefined>

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
