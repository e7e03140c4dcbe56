import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HashChains } from './hash-chains.ts'
import { WORDS } from './session-words.ts'

it('finds each entry by its whole hash, through all additions and removals', () => {
  // Few hashes, so that many fall together.
  const hash = fc.tuple(fc.constantFrom(0, 1, 4, 8, 12), fc.constantFrom(0, 1, 0xffff_ffff))
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 40 }), hashes => {
      const words = new Uint32Array(16 * WORDS)
      const chains = new HashChains(words, 3)
      const expected = new Map<string, number>()
      const free = Array.from({ length: 15 }, (_, index) => (index + 1) * WORDS)
      for (const [low, high] of hashes) {
        const key = `${low} ${high}`
        const known = expected.get(key)
        if (known === undefined) {
          const entry = free.pop() ?? 0
          chains.add(entry, low, high)
          expected.set(key, entry)
        } else {
          chains.remove(known)
          expected.delete(key)
          free.push(known)
        }
        for (const [low2, high2] of hashes)
          expect(chains.find(low2, high2)).toBe(expected.get(`${low2} ${high2}`) ?? 0)
      }
    }),
  )
})
