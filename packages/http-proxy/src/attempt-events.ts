import type { ClientRequest, IncomingMessage } from 'node:http'

/** What an attempt tells of its way. */
export interface AttemptEvents {
  /** Whether it must go by a connection that was never used. */
  readonly wantsFresh: boolean
  /** The lines that core leaves to the forwarder: how the message is framed. */
  readonly framing: readonly string[]
  /** A live connection has it. */
  started(request: ClientRequest): void
  /** No connection; true when the request has another backend to go to. */
  unreached(error: Error): boolean
  /** The head of an answer. */
  answered(response: IncomingMessage): void
  failed(error: Error): void
}
