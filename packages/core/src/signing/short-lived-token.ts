import type { KeyObject } from 'node:crypto'
import { detached } from './detached.ts'
import { durationMs, type Duration } from '../options/duration.ts'
import { OptionError } from '../options/option.ts'
import { signText, type Verified, verifyText } from './signing-key.ts'

/** Tokens that are accepted for a short time, of one purpose. */
export interface ShortLivedTokens {
  /** @throws OptionError for a time that is too short or too long */
  make(content: string, ttl: Duration): string
  /** The content of a token, as its text; undefined for a value that is no token of these keys, or has expired. */
  read(value: string): Verified | undefined
}

const MIN_TTL_MS = 1000
const DAY_MS = 24 * 3_600_000
const TOKEN = /^v1\.([0-9a-z]{1,8})\.([A-Za-z0-9_-]{0,64})\.[A-Za-z0-9+/]{43}$/

/**
 * `v1.END.CONTENT.SIGNATURE`: END is in seconds since the epoch, in base 36. All of it may stand in a header field and in
 * a cookie.
 * @param keys newest first: the first signs, all are accepted
 * @param now milliseconds since the epoch
 */
export function shortLivedTokens(keys: readonly KeyObject[], now: () => number): ShortLivedTokens {
  const [newest] = keys
  if (newest === undefined) throw new RangeError('shortLivedTokens() takes at least one key')
  return {
    make(content, ttl) {
      const ttlMs = durationMs('ttl', ttl, 0, DAY_MS)
      if (ttlMs < MIN_TTL_MS) throw new OptionError('ttl', ttl, 'a duration from 1s to 1d')
      const endS = Math.ceil((now() + ttlMs) / 1000)
      return signText(`v1.${endS.toString(36)}.${content}`, newest)
    },
    read(value) {
      const [, end = '', content = ''] = TOKEN.exec(value) ?? []
      if (end === '') return undefined
      const leftMs = Number.parseInt(end, 36) * 1000 - now()
      // No token is made for longer. An expired one is not worth an HMAC.
      if (leftMs <= 0 || leftMs > DAY_MS + 1000) return undefined
      const verified = verifyText(value, keys)
      return verified && { text: detached(content), keyIndex: verified.keyIndex }
    },
  }
}
