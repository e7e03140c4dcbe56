import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RecencyList } from './recency-list.ts'

const WORDS = 4
const LINKS = { newer: 1, older: 3 }

it('has its entries in the order of their last use, through all additions and removals', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }), uses => {
      const words = new Uint32Array(7 * WORDS)
      const list = new RecencyList(words, LINKS)
      let expected: readonly number[] = []
      for (const use of uses) {
        const entry = use * WORDS
        if (expected.includes(entry)) {
          list.remove(entry)
          expected = expected.filter(one => one !== entry)
          // Every third is removed for good.
          if (use % 3 === 0) continue
        }
        list.add(entry)
        expected = [entry, ...expected]
      }
      const found: number[] = []
      for (let entry = list.newest; entry !== 0; entry = words[entry + LINKS.older] ?? 0) found.push(entry)
      expect(found).toEqual(expected)
      expect([list.newest, list.oldest, list.size]).toEqual([
        expected[0] ?? 0,
        expected.at(-1) ?? 0,
        expected.length,
      ])
    }),
  )
})
