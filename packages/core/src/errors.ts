import type { Backend } from './pool/backend.ts'
import type { Failure } from './failure.ts'

/** Fields of every response of our own: it is about this moment, and it is text. */
const NEVER_STORED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/**
 * The response to a client when no response of a backend can be forwarded. `code` tells which it is, and TypeScript
 * narrows by it. Two copies of a package may live in one process, and `instanceof` recognizes only its own.
 */
export type AffinityError =
  | NoBackendError
  | BackendFailedError
  | LocalResourceError
  | RefusedRequestError
  | InvalidEditError
  | CookieCollisionError

/** The message may reach the client, so it names no backend; `backend` and `cause` are for the log. */
abstract class ResponseError extends Error {
  abstract readonly code: string
  readonly statusCode: number
  /** The name of `statusCode` in Express and Koa; Koa writes it, too. */
  status: number
  /** Fastify, Express and Koa all set these on the response. */
  readonly headers: Readonly<Record<string, string>> = NEVER_STORED
  /** Koa shows the message to the client only if this is true. */
  readonly expose = true

  constructor(statusCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.statusCode = statusCode
    this.status = statusCode
  }
}

/** No backend of the pool may take this request. */
export class NoBackendError extends ResponseError {
  override readonly name = 'NoBackendError'
  readonly code = 'ERR_NO_BACKEND'
  override readonly headers: Readonly<Record<string, string>> = { ...NEVER_STORED, 'retry-after': '1' }
  constructor() {
    super(503, 'no backend is available')
  }
}

/** The last backend that was tried did not respond: 504 after a timeout, else 502. */
export class BackendFailedError extends ResponseError {
  override readonly name = 'BackendFailedError'
  readonly code = 'ERR_BACKEND_FAILED'
  /** The id of the backend, for the log and not for the client. */
  readonly backend: string
  readonly failure: Failure
  override readonly headers: Readonly<Record<string, string>>
  constructor(backend: Backend, failure: Failure) {
    super(failure.slow ? 504 : 502, 'the backend did not respond', { cause: failure.cause })
    this.backend = backend.id
    this.failure = failure
    // No backend received the request, so the client may retry.
    this.headers = failure.kind === 'unreached' ? { ...NEVER_STORED, 'retry-after': '1' } : NEVER_STORED
  }
}

/** This process has run out of descriptors, ports or memory for connections: 503, and no backend is to blame. */
export class LocalResourceError extends ResponseError {
  override readonly name = 'LocalResourceError'
  readonly code = 'ERR_LOCAL_RESOURCE'
  override readonly headers: Readonly<Record<string, string>> = { ...NEVER_STORED, 'retry-after': '1' }
  /** @param cause what the operating system said, as EMFILE */
  constructor(cause: unknown) {
    super(503, 'the gateway has no resources for another connection', { cause })
  }
}

/** The error for a request whose last attempt failed at `backend`. */
export function attemptError(backend: Backend, failure: Failure): BackendFailedError | LocalResourceError {
  return failure.kind === 'local'
    ? new LocalResourceError(failure.cause)
    : new BackendFailedError(backend, failure)
}

/** Why a message was refused. The one label that logs and metrics carry. */
export type RefusalReason =
  | 'framing'
  | 'host'
  | 'target'
  | 'method'
  | 'version'
  | 'body_limit'
  | 'body_parsed'
  | 'slow_body'

/** A message that could be read in two ways, or not at all. It is refused, never repaired. */
export class RefusedRequestError extends ResponseError {
  override readonly name = 'RefusedRequestError'
  readonly code = 'ERR_REFUSED_REQUEST'
  readonly reason: RefusalReason
  /** Bytes that follow a refused message on its connection cannot be trusted (RFC 9112 §9.3). */
  override headers: Readonly<Record<string, string>> = { ...NEVER_STORED, connection: 'close' }
  constructor(statusCode: 400 | 408 | 413 | 500 | 501 | 505, reason: RefusalReason, message: string) {
    super(statusCode, message)
    this.reason = reason
  }

  /** For a message on a stream of HTTP/2, which has no Connection (RFC 9113 §8.2.2): its end is certain. */
  keepConnection(): void {
    this.headers = NEVER_STORED
  }
}

/**
 * The application has edited a request into one that cannot be sent: 500, because it is the application's fault. The
 * message names the field and never shows its value.
 */
export class InvalidEditError extends ResponseError {
  override readonly name = 'InvalidEditError'
  readonly code = 'ERR_INVALID_EDIT'
  /** The edited part of the request: `url`, or `headers.x-user`. */
  readonly field: string
  /** @param problem the second half of a sentence, as `is an object` */
  constructor(field: string, problem: string) {
    super(500, `the application's edit of ${field} cannot be sent: it ${problem}`)
    this.field = field
  }
}

/**
 * Two pools of one server write one cookie for one host: 500, because it is the application's fault. Each pool would
 * place the sessions of the other anew.
 */
export class CookieCollisionError extends ResponseError {
  override readonly name = 'CookieCollisionError'
  readonly code = 'ERR_COOKIE_COLLISION'
  constructor(pool: string, other: string) {
    super(
      500,
      `pool ${pool} writes a cookie that pool ${other} writes for this host; give one of them another name, or a path of its own`,
    )
  }
}

const CODES: Readonly<Record<AffinityError['code'], true>> = {
  ERR_NO_BACKEND: true,
  ERR_BACKEND_FAILED: true,
  ERR_LOCAL_RESOURCE: true,
  ERR_REFUSED_REQUEST: true,
  ERR_INVALID_EDIT: true,
  ERR_COOKIE_COLLISION: true,
}

/** Whether `error` is one of the above, whichever copy of this package made it. */
export function isAffinityError(error: unknown): error is AffinityError {
  return error instanceof Error && 'code' in error && Object.hasOwn(CODES, String(error.code))
}
