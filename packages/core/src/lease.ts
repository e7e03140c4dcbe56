import type { Backend } from './pool/backend.ts'
import type { Client } from './http/client.ts'
import type { AffinityStatus } from './counts/affinity-status.ts'
import type { Explanation } from './explaining/explanation.ts'
import type { Failure } from './failure.ts'
import type { HeaderFields, ResponseHead } from './head.ts'

/** One request's hold on a backend, from its choice until the client's side closes. */
export interface Lease {
  /** The backend that is being tried; once one has responded, that one. */
  readonly backend: Backend
  readonly status: AffinityStatus
  readonly client: Client
  /** The request target for `backend`: origin-form, under the base path of its url, otherwise byte for byte. */
  readonly target: string
  /** The decision and the attempts so far. Absent: the request has not asked for them by a debug token. */
  readonly explanation?: Explanation | undefined
  /** The header lines for `backend`: name, value, name, value … Framing is the forwarder's to add. */
  requestLines(): string[]
  /**
   * A connection to `backend` has the request.
   * @param onDown called at most once, when the pool finds `backend` down before the head of its response, and the
   *   request may be sent twice. Then `next({ kind: 'down' … })` moves it; it may also wait on.
   */
  connected(onDown?: () => void): void
  /** Reports that the attempt at `backend` failed. Decides nothing. */
  failed(failure: Failure): void
  /** Whether a response of `statusCode` is a failure after which another backend may be asked. */
  retries(statusCode: number): boolean
  /**
   * Decides what follows a failure.
   * @returns the backend for the next attempt, which is then `backend`: another that was not tried yet, or the same,
   *   by a fresh connection, when a reused one broke. Undefined: the client gets the `attemptError()` of the failure.
   */
  next(failure: Failure): Backend | undefined
  /** Takes the head of the response and returns the header fields for the client. Synchronous, once. */
  responded(response: ResponseHead): HeaderFields
  /**
   * Calls `listener` when the pool recalls the request, because its backend is to be left: a WebSocket, say, has to
   * end then. Calls it at once when the recall was before, and never after `release`.
   * The listener runs in the async context of this call.
   */
  onceRecalled(listener: () => void): void
  /** The client's side has closed. Idempotent. */
  release(): void
}
