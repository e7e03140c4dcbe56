import { detached } from './detached.ts'
import { deriveKeys, signText, type Verified, verifyText } from './signing-key.ts'
import { valueMemory } from './value-memory.ts'

/** Signs texts and verifies them, with keys of one purpose. */
export interface Signer {
  /** `text`, a dot, and its signature by the newest secret, in base64. */
  sign(text: string): string
  /**
   * The text of a signed value. Undefined for a value that none of the secrets has signed, or that is longer than
   * 4096 characters.
   */
  verify(signed: string): Verified | undefined
}

const MAX_LENGTH = 4096

/**
 * Makes a signer (HMAC-SHA256). Its keys are derived from the secrets for this purpose alone (HKDF, RFC 5869): a value
 * that was signed for another purpose is not accepted.
 * @param secrets newest first: the first signs, all verify
 * @param remembered valid values that are remembered, so that they cost no HMAC again @default 2048
 */
export function createSigner(secrets: readonly Uint8Array[], purpose: string, remembered = 2048): Signer {
  const keys = deriveKeys(secrets, `policy/${purpose}`)
  const [newest] = keys
  if (newest === undefined) throw new RangeError('createSigner() takes at least one secret')
  const memory = valueMemory<Verified>(remembered)
  return {
    sign: text => signText(text, newest),
    verify(signed) {
      if (signed.length > MAX_LENGTH) return undefined
      const known = memory.get(signed, signed.length)
      if (known !== undefined) return known
      const verified = verifyText(signed, keys)
      if (verified === undefined) return undefined
      // A slice would keep all of the request's header alive.
      const own = { text: detached(verified.text), keyIndex: verified.keyIndex }
      memory.set(signed, signed.length, own)
      return own
    },
  }
}
