import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { HeaderFields, RequestHead } from '@limpet/core'

/** Edits the header lines for a backend. @throws ApplicationError */
export type EditLines = (lines: readonly string[], request: ClientRequest) => readonly string[]

/** Rewrites the fields of a backend's response, in place, before affinity adds its own. */
export type RewriteFields = (
  fields: HeaderFields,
  statusCode: number,
  backend: URL,
  head: RequestHead,
) => void

/** The application's part in one request on its way. */
export interface MessageHooks {
  readonly editLines?: EditLines | undefined
  readonly rewriteFields?: RewriteFields | undefined
}

/** The application's part in one handshake on its way. */
export interface HandshakeHooks extends MessageHooks {
  /** The fields for the client. @throws whatever `rewriteHeaders` throws */
  readonly clientFields: (fields: HeaderFields) => HeaderFields
  readonly opened: (response: IncomingMessage, backend: Socket, head: Buffer) => void
}
