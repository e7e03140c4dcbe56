import type { IncomingMessage } from 'node:http'
import type { HeaderFields } from '@limpet/core'

/** A backend's response, as the client is to get it. */
export interface BackendResponse {
  readonly statusCode: number
  readonly headers: HeaderFields
  /** Fails when the backend dies in the middle: only a cut tells the client that the rest is missing. */
  readonly body: IncomingMessage
}
