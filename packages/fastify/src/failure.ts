import type { Failure, FailureKind } from '@limpet/core'
import { CONNECT_TIMEOUT } from './backend-socket.ts'

/** The code of the error for a backend that took a request and said nothing in time. */
export const RESPONSE_TIMEOUT = 'ERR_RESPONSE_TIMEOUT'

/**
 * What undici's error means.
 * @param isStarted whether the request had been handed to a live connection
 * @param isAnswered whether the head of an answer had come
 */
export function failureOf(error: unknown, isStarted: boolean, isAnswered: boolean): Failure {
  const code = codeOf(error)
  return {
    kind: kindOf(code, isStarted, isAnswered),
    slow: code === CONNECT_TIMEOUT || code === RESPONSE_TIMEOUT,
    cause: error,
  }
}

function kindOf(code: string, isStarted: boolean, isAnswered: boolean): FailureKind {
  if (isAnswered) return 'truncated'
  if (!isStarted) return 'unreached'
  if (code === RESPONSE_TIMEOUT) return 'timeout'
  return isProtocol(code) ? 'protocol' : 'broken'
}

/** llhttp's complaints (HPE_…), and undici's own about an answer that it could read and must not believe. */
function isProtocol(code: string): boolean {
  return code.startsWith('HPE_') || PROTOCOL.has(code)
}

const PROTOCOL: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_BACKEND_PROTOCOL',
])

/** A 304 may tell the length of what it stands for (RFC 9110 §8.6); undici misses the bytes. */
export function isLengthMismatch(error: unknown): boolean {
  return codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
