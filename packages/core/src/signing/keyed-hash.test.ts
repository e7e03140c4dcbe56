import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HASH_KEY_BYTES, keyedHash, PUBLIC_HASH_KEY } from './keyed-hash.ts'

function hashed(text: string, key = PUBLIC_HASH_KEY): bigint {
  const out = new Uint32Array(2)
  keyedHash(key)(text, out)
  return (BigInt(out[1] ?? 0) << 32n) | BigInt(out[0] ?? 0)
}

const key = fc.uint8Array({ minLength: HASH_KEY_BYTES, maxLength: HASH_KEY_BYTES })

describe('the keyed hash', () => {
  // Results of Python 3.11: its hash() of bytes is SipHash-1-3, and has this key with PYTHONHASHSEED=0.
  it.each([
    ['a', 0x407448d2b89b1813n],
    ['abc', 0xc03bc3a0042630f2n],
    ['abcdefg', 0x6db12aae9070f506n],
    ['abcdefgh', 0x3f7b849c0b8e35ean],
    ['hello world, this is a session id 123', 0xd6ab6ec401e5327an],
  ])('is SipHash-1-3: %s', (text, expected) => {
    expect(hashed(text)).toBe(expected)
  })

  it('takes any text, and another character or key gives another hash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), key, key, (a, b, k, l) => {
        fc.pre(a !== b && Buffer.compare(k, l) !== 0)
        expect(hashed(a, k)).toBe(hashed(a, Uint8Array.from(k)))
        expect([hashed(b, k), hashed(a, l)]).not.toContain(hashed(a, k))
      }),
    )
  })

  it('reads its key from the middle of a larger buffer', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, index) => index)
    expect(hashed('x', bytes.subarray(8, 24))).toBe(hashed('x', bytes.slice(8, 24)))
  })

  it('turns over half of its bits when one of the text does', () => {
    let flipped = 0
    for (let count = 0; count < 400; count += 1) {
      const different = hashed(`session-${count}`) ^ hashed(`session-${count + 1}`)
      flipped += different.toString(2).replaceAll('0', '').length
    }
    expect(flipped / 400).toBeGreaterThan(30)
    expect(flipped / 400).toBeLessThan(34)
  })
})
