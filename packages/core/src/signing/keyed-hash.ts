/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012), the keyed hash of the hash tables of Rust and Python. It is quick on
 * short texts, and without the key its results cannot be chosen or told from chance. An HMAC of
 * node:crypto costs several times as much for a session id, and no maintained package has this variant.
 */

/** Hashes a text into `out[0]` and `out[1]`: 64 bits, uniform. The same key gives the same in every process. */
export type KeyedHash = (text: string, out: Uint32Array) => void

export const HASH_KEY_BYTES = 16

/** A public key: for hashes that must be the same everywhere and are worth no attack. */
export const PUBLIC_HASH_KEY = new Uint8Array(HASH_KEY_BYTES)

/** @param key 16 bytes */
export function keyedHash(key: Uint8Array): KeyedHash {
  const words = new DataView(key.buffer, key.byteOffset, HASH_KEY_BYTES)
  const [k0l, k0h] = [words.getInt32(0, true), words.getInt32(4, true)]
  const [k1l, k1h] = [words.getInt32(8, true), words.getInt32(12, true)]
  return (text, out) => {
    if (sipHash(text, out, k0l, k0h, k1l, k1h)) return
    // Header fields are bytes and never come here; a query that was decoded may.
    sipHash(Buffer.from(text, 'utf8').toString('latin1'), out, k0l, k0h, k1l, k1h)
  }
}

/**
 * Takes each character for a byte; false when one is not. A 64-bit word is two 32-bit halves, for BigInt would cost
 * more than all the rest, and the state stays in local variables for the same reason. A carry is
 * computed rather than compared: it is as good as random, so a branch on it would be guessed wrong half of the time.
 */
function sipHash(
  text: string,
  out: Uint32Array,
  k0l: number,
  k0h: number,
  k1l: number,
  k1h: number,
): boolean {
  let v0l = k0l ^ 0x70736575
  let v0h = k0h ^ 0x736f6d65
  let v1l = k1l ^ 0x6e646f6d
  let v1h = k1h ^ 0x646f7261
  let v2l = k0l ^ 0x6e657261
  let v2h = k0h ^ 0x6c796765
  let v3l = k1l ^ 0x79746573
  let v3h = k1h ^ 0x74656462
  const { length } = text
  const whole = length & ~7
  let all = 0
  // Whole words, then one with the remaining bytes and the length, then three rounds without any.
  for (let at = 0; at <= whole + 24; at += 8) {
    let low = 0
    let high = 0
    if (at < whole) {
      const a = text.charCodeAt(at)
      const b = text.charCodeAt(at + 1)
      const c = text.charCodeAt(at + 2)
      const d = text.charCodeAt(at + 3)
      const e = text.charCodeAt(at + 4)
      const f = text.charCodeAt(at + 5)
      const g = text.charCodeAt(at + 6)
      const h = text.charCodeAt(at + 7)
      all |= a | b | c | d | e | f | g | h
      low = a | (b << 8) | (c << 16) | (d << 24)
      high = e | (f << 8) | (g << 16) | (h << 24)
    } else if (at === whole) {
      for (let index = at; index < length; index += 1) {
        const code = text.charCodeAt(index)
        all |= code
        if (index < at + 4) low |= code << ((index - at) * 8)
        else high |= code << ((index - at - 4) * 8)
      }
      high |= length << 24
    } else if (at === whole + 8) {
      v2l ^= 0xff
    }
    v3l ^= low
    v3h ^= high

    let word = (v0l + v1l) | 0
    v0h = (v0h + v1h + (((v0l & v1l) | ((v0l | v1l) & ~word)) >>> 31)) | 0
    v0l = word
    word = (v1l << 13) | (v1h >>> 19)
    v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
    v1l = word ^ v0l
    word = v0l
    v0l = v0h
    v0h = word
    word = (v2l + v3l) | 0
    v2h = (v2h + v3h + (((v2l & v3l) | ((v2l | v3l) & ~word)) >>> 31)) | 0
    v2l = word
    word = (v3l << 16) | (v3h >>> 16)
    v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
    v3l = word ^ v2l
    word = (v0l + v3l) | 0
    v0h = (v0h + v3h + (((v0l & v3l) | ((v0l | v3l) & ~word)) >>> 31)) | 0
    v0l = word
    word = (v3l << 21) | (v3h >>> 11)
    v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
    v3l = word ^ v0l
    word = (v2l + v1l) | 0
    v2h = (v2h + v1h + (((v2l & v1l) | ((v2l | v1l) & ~word)) >>> 31)) | 0
    v2l = word
    word = (v1l << 17) | (v1h >>> 15)
    v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
    v1l = word ^ v2l
    word = v2l
    v2l = v2h
    v2h = word

    v0l ^= low
    v0h ^= high
  }
  out[0] = v0l ^ v1l ^ v2l ^ v3l
  out[1] = v0h ^ v1h ^ v2h ^ v3h
  return all < 256
}
