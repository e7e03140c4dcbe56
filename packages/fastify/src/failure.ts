import { errorCode } from '@limpet/http-proxy/transport'

/** A 304 may have the length of the full response (RFC 9110 §8.6); undici reports the missing bytes as an error. */
export function isLengthMismatch(error: unknown): boolean {
  return errorCode(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}
