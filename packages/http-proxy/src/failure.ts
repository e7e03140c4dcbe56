import type { Failure, FailureKind } from '@limpet/core'
import { CONNECT_TIMEOUT } from './backend/backend-socket.ts'

export const RESPONSE_TIMEOUT = 'ERR_RESPONSE_TIMEOUT'
const BACKEND_PROTOCOL = 'ERR_BACKEND_PROTOCOL'

/** The error of a backend that took a request and said nothing in time. */
export function responseTimeout(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms} ms`), { code: RESPONSE_TIMEOUT })
}

/** The error of a backend that said what no client can be told. */
export function protocolError(what: string): Error {
  return Object.assign(new Error(what), { code: BACKEND_PROTOCOL })
}

/**
 * What an error of node:http's client or of undici's means.
 * @param isStarted whether the request had been handed to a live connection
 * @param hasResponded whether the head of an answer had come
 */
export function failureOf(error: unknown, isStarted: boolean, hasResponded: boolean): Failure {
  const code = errorCode(error)
  return {
    kind: kindOf(error, isStarted, hasResponded),
    slow: code === CONNECT_TIMEOUT || code === RESPONSE_TIMEOUT,
    cause: error,
  }
}

function kindOf(error: unknown, isStarted: boolean, hasResponded: boolean): FailureKind {
  if (hasResponded) return 'truncated'
  if (!isStarted) return 'unreached'
  const code = errorCode(error)
  if (code === RESPONSE_TIMEOUT) return 'timeout'
  return isParserError(error, code) || PROTOCOL.has(code) ? 'protocol' : 'broken'
}

/** llhttp's complaints; undici does not give all of them a code. */
function isParserError(error: unknown, code: string): boolean {
  return code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError')
}

/** Beside the parsers' own complaints: answers that could be read and must not be believed. */
const PROTOCOL: ReadonlySet<string> = new Set([
  BACKEND_PROTOCOL,
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
