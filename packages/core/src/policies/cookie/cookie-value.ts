import type { KeyObject } from 'node:crypto'
import { detached } from '../../signing/detached.ts'
import { type HmacBudget, signText, verifyText } from '../../signing/signing-key.ts'
import { valueMemory } from '../../signing/value-memory.ts'

/*
 *   value   = text "." signature
 *   text    = "v1." token [ "." issued [ "." seen ] ]
 *   token   = the name of the backend: its tag, or its id
 *   issued, seen = seconds since the epoch, in base 36
 *
 * All of it is cookie-octets (RFC 6265 §4.1.1), so it needs neither quotes nor escapes.
 */

/** The content of a value. Times are in whole seconds since the epoch. */
export interface CookieContent {
  readonly token: string
  readonly issuedS: number | undefined
  readonly seenS: number | undefined
}

/** A value that was read, and which of the secrets vouches for it: 0 is the newest. */
export interface VerifiedContent extends CookieContent {
  readonly keyIndex: number
}

/** Ours are shorter than 130; a longer value is not worth an HMAC. */
const MAX_LENGTH = 512
const VALUE = /^v1\.([A-Za-z0-9_-]{1,64})(?:\.([0-9a-z]{1,8})(?:\.([0-9a-z]{1,8}))?)?\.[A-Za-z0-9+/]{43}$/

export interface CookieValues {
  write(content: CookieContent): string
  /** Undefined for a value that was not written with one of the secrets, or not verified for want of `budget`. */
  read(value: string, budget?: HmacBudget): VerifiedContent | undefined
}

/**
 * Writes and reads values. Those that were found good are remembered, so that a returning browser costs no HMAC.
 * @param remembered how many at least; twice as many at most
 */
export function cookieValues(keys: readonly KeyObject[], remembered = 2048): CookieValues {
  const [newest] = keys
  if (newest === undefined) throw new RangeError('no key')
  const memory = valueMemory<VerifiedContent>(remembered)
  return {
    write: ({ token, issuedS, seenS }) => {
      const issued = issuedS === undefined ? '' : `.${issuedS.toString(36)}`
      const seen = seenS === undefined ? '' : `.${seenS.toString(36)}`
      return signText(`v1.${token}${issued}${seen}`, newest)
    },
    read: (value, budget) => {
      if (value.length > MAX_LENGTH) return undefined
      const known = memory.get(value, value.length)
      if (known !== undefined) return known
      const content = verifyContent(value, keys, budget)
      if (content !== undefined) memory.set(value, value.length, content)
      return content
    },
  }
}

/** Whether a value has the shape of ours, whatever key signed it. */
export function isShaped(value: string): boolean {
  return value.length <= MAX_LENGTH && VALUE.test(value)
}

function verifyContent(
  value: string,
  keys: readonly KeyObject[],
  budget: HmacBudget | undefined,
): VerifiedContent | undefined {
  // A value of another shape, such as a cookie that was there before, is not worth an HMAC.
  const parts = VALUE.exec(value)
  if (parts === null) return undefined
  const verified = verifyText(value, keys, budget)
  if (verified === undefined) return undefined
  const [, token = '', issued, seen] = parts
  return {
    token: detached(token),
    issuedS: seconds(issued),
    seenS: seconds(seen),
    keyIndex: verified.keyIndex,
  }
}

function seconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number.parseInt(text, 36)
}
