import type { Failure, FailureKind } from '@limpet/core'
import { isLocalError } from '@limpet/core/adapter'
import { CONNECT_TIMEOUT } from './backend/backend-socket.ts'

export const RESPONSE_TIMEOUT = 'ERR_RESPONSE_TIMEOUT'
const BACKEND_PROTOCOL = 'ERR_BACKEND_PROTOCOL'

/** The error of a backend that took a request and said nothing in time. */
export function responseTimeout(ms: number): Error {
  return Object.assign(new Error(`no response within ${ms} ms`), { code: RESPONSE_TIMEOUT })
}

/** The error of a backend whose response cannot be forwarded. */
export function protocolError(what: string): Error {
  return Object.assign(new Error(what), { code: BACKEND_PROTOCOL })
}

/** Whether `error` says that a backend's response cannot be forwarded. */
export function isProtocolError(error: unknown): boolean {
  return errorCode(error) === BACKEND_PROTOCOL
}

/** The error of attempts that took longer than all of them together may. */
export function totalTimeout(ms: number): Error {
  return Object.assign(new Error(`no response after ${ms} ms of attempts`), { code: RESPONSE_TIMEOUT })
}

/** The error of an attempt that is ended because its backend was found down. */
export function backendDown(): Error {
  return new Error('the backend was found down while the request waited for its response')
}

/**
 * An error of the application's own code that edits a request for a backend. It ends the request, and no backend is to
 * blame.
 */
export class ApplicationError extends Error {
  constructor(thrown: unknown) {
    super('the application has thrown', { cause: asError(thrown) })
  }
}

/** A thrown value as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** The state of an attempt when it failed. */
export interface AttemptState {
  /** A live connection had the request. */
  readonly isStarted: boolean
  /** That connection had carried other requests. */
  readonly isReused?: boolean
  /** The head of a response had come. */
  readonly hasResponded: boolean
}

/** The failure for an error of node:http's client or of undici. */
export function failureOf(error: unknown, state: AttemptState): Failure {
  const code = errorCode(error)
  return {
    kind: kindOf(error, state),
    slow: code === CONNECT_TIMEOUT || code === RESPONSE_TIMEOUT,
    cause: error,
    ...(state.isReused === true && { reused: true }),
    ...(!state.isStarted && REFUSED.has(code) && { refused: true }),
  }
}

/** No process listens there: at a port, or at a socket in the file system. */
const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT'])

function kindOf(error: unknown, { isStarted, hasResponded }: AttemptState): FailureKind {
  if (hasResponded) return 'truncated'
  if (!isStarted) return isLocalError(error) ? 'local' : 'unreached'
  const code = errorCode(error)
  if (code === RESPONSE_TIMEOUT) return 'timeout'
  return isParserError(error, code) || PROTOCOL.has(code) ? 'protocol' : 'broken'
}

/** Errors of a head that cannot be written: the request is at fault, and no backend has had a part in it. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_HTTP_INVALID_HEADER_VALUE',
  'UND_ERR_INVALID_ARG',
])

export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.has(errorCode(error))
}

/** llhttp's complaints; undici does not give all of them a code. */
function isParserError(error: unknown, code: string): boolean {
  return code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError')
}

/** Beside the parsers' own complaints: responses that could be read and must not be believed. */
const PROTOCOL: ReadonlySet<string> = new Set([
  BACKEND_PROTOCOL,
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
