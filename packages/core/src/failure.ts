import type { RequestHead } from './http/heads.ts'
import type { RetryOn } from './selection/retry-on.ts'

/**
 * Why an attempt at a backend failed.
 * - `unreached`: no connection; no byte of the request got there.
 * - `timeout`: the backend took the request and sent no response head in time.
 * - `broken`: the connection ended before the head of a response.
 * - `down`: the pool found the backend down while the request waited for the head of its response.
 * - `protocol`: the response was not valid HTTP.
 * - `status`: the response has a status that `retryOn` names.
 * - `truncated`: the connection ended within the body of the response; the client has seen a part of it.
 * - `local`: this process had no descriptor, port or memory for a connection. It says nothing about the backend.
 */
export type FailureKind =
  | 'unreached'
  | 'timeout'
  | 'broken'
  | 'down'
  | 'protocol'
  | 'status'
  | 'truncated'
  | 'local'

export interface Failure {
  readonly kind: FailureKind
  /** Time ran out: the client gets 504, not 502. */
  readonly slow: boolean
  readonly cause: unknown
  /** The connection had carried other requests. Its end says nothing about the backend. @default false */
  readonly reused?: boolean
  /** The backend's host refused the connection, because no process listens there. @default false */
  readonly refused?: boolean
}

/** Methods whose effect is the same however often they arrive (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Whether a request that a backend has got may be sent once more, to it or to another.
 * A body that was streamed cannot be sent a second time, a request that is not idempotent may have had its effect,
 * and the response to a handshake is the connection itself.
 */
export function isRepeatable(request: RequestHead): boolean {
  return !request.hasBody && request.isHandshake !== true && IDEMPOTENT.has(request.method)
}

/** Whether another attempt may follow `failure`. The one place where this is decided. */
export function mayRedispatch(request: RequestHead, { kind }: Failure, retryOn: RetryOn): boolean {
  if (kind === 'unreached') return retryOn.connect
  if (!isRepeatable(request)) return false
  if (kind === 'broken' || kind === 'down') return retryOn.reset
  return kind === 'timeout' ? retryOn.timeout : kind === 'status'
}

/** Errors of a process without resources for a connection: descriptors, local ports, buffers, memory. */
const LOCAL: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

/** Whether `error` tells of this process, and nothing of the backend that it wanted to reach. */
export function isLocalError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOCAL.has(error.code)
}
