import type { RequestHead } from './http/heads.ts'

/**
 * Why a backend did not answer.
 * - `unreached`: no connection; no byte of the request got there.
 * - `timeout`: it took the request and said nothing in time.
 * - `broken`: the connection ended before the head of an answer.
 * - `protocol`: what it said was not HTTP.
 * - `truncated`: it died in the middle of its answer; the client has seen a part of it.
 */
export type FailureKind = 'unreached' | 'timeout' | 'broken' | 'protocol' | 'truncated'

export interface Failure {
  readonly kind: FailureKind
  /** Time ran out: the client is told 504, not 502. */
  readonly slow: boolean
  readonly cause: unknown
}

/** Methods whose effect is the same however often they arrive (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Whether a backend that kept silent may have its request given to another, or to itself once more.
 * A request whose body has been streamed cannot be told a second time, and one that is not
 * idempotent may have had its effect already.
 */
export function isRepeatable(request: RequestHead): boolean {
  return !request.hasBody && IDEMPOTENT.has(request.method)
}

/** Whether another backend may be tried after `failure`. The one place where this is decided. */
export function mayRedispatch(request: RequestHead, failure: Failure): boolean {
  const { kind } = failure
  return kind === 'unreached' || ((kind === 'timeout' || kind === 'broken') && isRepeatable(request))
}
