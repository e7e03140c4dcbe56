import { errorCode } from '@limpet/http-proxy/transport'

/** A 304 may tell the length of what it stands for (RFC 9110 §8.6); undici misses the bytes. */
export function isLengthMismatch(error: unknown): boolean {
  return errorCode(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}
