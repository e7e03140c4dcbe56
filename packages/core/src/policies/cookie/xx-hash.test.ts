import { describe, expect, it } from 'vitest'
import { xxHash64 } from './xx-hash.ts'

describe('XXH64', () => {
  // Output of xxhsum 0.8.
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
    ['0123456789abcdef0123456789abcdef', 0x642a94958e71e6c5n],
  ])('of "%s"', (text, expected) => {
    expect(xxHash64(Buffer.from(text))).toBe(expected)
  })
})
