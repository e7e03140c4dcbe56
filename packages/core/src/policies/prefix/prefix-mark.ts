import type { KeyObject } from 'node:crypto'
import { detached } from '../../signing/detached.ts'
import { type HmacBudget, signText, verifyText } from '../../signing/signing-key.ts'
import { valueMemory } from '../../signing/value-memory.ts'

/*
 *   value = token "." signature "~" own
 *   token = the name of the backend: its tag, or its id
 *   own   = the application's value, byte for byte
 *
 * The signature is of token and own together: neither a mark that was taken from another session nor a value that
 * only looks marked names a backend. It is base64, so the first "~" is ours, whatever the application's value holds.
 */

export interface MarkedValue {
  readonly token: string
  readonly own: string
  /** Which secret vouches for it: 0 is the newest. */
  readonly keyIndex: number
}

export interface PrefixMarks {
  write(token: string, own: string): string
  /** Undefined for a value that was not marked with one of the secrets, or not verified for want of `budget`. */
  read(value: string, budget: HmacBudget): MarkedValue | undefined
}

/** As browsers keep a cookie (draft-ietf-httpbis-rfc6265bis §5.7). */
export const MAX_COOKIE = 4096
const MARK = /^([A-Za-z0-9_-]{1,64})(\.[A-Za-z0-9+/]{43})~/

/**
 * Writes and reads marks. Those that were found good are remembered, so that a returning browser costs no HMAC.
 * @param remembered how many at least; twice as many at most
 */
export function prefixMarks(keys: readonly KeyObject[], remembered = 2048): PrefixMarks {
  const [newest] = keys
  if (newest === undefined) throw new RangeError('no key')
  const memory = valueMemory<MarkedValue>(remembered)
  return {
    write(token, own) {
      const text = `${token}~${own}`
      return `${token}${signText(text, newest).slice(text.length)}~${own}`
    },
    read(value, budget) {
      const mark = value.length > MAX_COOKIE ? null : MARK.exec(value)
      if (mark === null) return undefined
      const [{ length }, token = '', signature = ''] = mark
      const known = memory.get(value, length - 1)
      if (known !== undefined) return known
      const own = value.slice(length)
      const verified = verifyText(`${token}~${own}${signature}`, keys, budget)
      if (verified === undefined) return undefined
      const marked: MarkedValue = { token: detached(token), own: detached(own), keyIndex: verified.keyIndex }
      memory.set(value, length - 1, marked)
      return marked
    },
  }
}
