import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { sign, unsign } from 'cookie-signature'

/**
 * Keys of one purpose, one for each secret, newest first. HKDF (RFC 5869) keeps purposes apart: a signature
 * for one pool and cookie is invalid for another, though both keys derive from the same secret.
 */
export function deriveKeys(secrets: readonly Uint8Array[], purpose: string): readonly KeyObject[] {
  // A KeyObject, made once: hashing with it costs a fifth of hashing with a Buffer.
  return secrets.map(secret => createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))))
}

/** `text`, a dot, and its HMAC-SHA256 in base64. */
export function signText(text: string, key: KeyObject): string {
  return sign(text, key)
}

export interface Verified {
  readonly text: string
  /** Which key signed it: 0 is the newest. */
  readonly keyIndex: number
}

/** HMACs that the values of one request may still cost. */
export interface HmacBudget {
  left: number
}

/**
 * For the values of one request. A header has room for hundreds of forged ones, and eight secrets make thousands of
 * HMACs of them, which took 10 ms; this many take half a millisecond.
 */
export const HMACS_PER_REQUEST = 160

/**
 * The text that `signed` vouches for. Every key is tried, whether or not one has matched, so that the
 * time taken tells nothing; cookie-signature compares in constant time.
 * @param budget is charged one HMAC for each key; once it is used up nothing is verified
 */
export function verifyText(
  signed: string,
  keys: readonly KeyObject[],
  budget?: HmacBudget,
): Verified | undefined {
  if (budget !== undefined) {
    if (budget.left <= 0) return undefined
    budget.left -= keys.length
  }
  let verified: Verified | undefined
  for (const [keyIndex, key] of keys.entries()) {
    const text = unsign(signed, key)
    if (text !== false) verified ??= { text, keyIndex }
  }
  return verified
}

/** A pseudonym of `id` for readers without the key: 96 bits, the same in every process that has the key. */
export function opaqueTag(id: string, key: KeyObject): string {
  return createHmac('sha256', key).update(id).digest('base64url').slice(0, 16)
}
