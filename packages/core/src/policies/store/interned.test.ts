import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Interned } from './interned.ts'

describe('interned texts', () => {
  it('have one number each for as long as they are held, and no more numbers than texts', () => {
    const text = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', '')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), text), { maxLength: 100, size: 'max' }), steps => {
        const interned = new Interned()
        const holders = new Map<string, number>()
        const numbers = new Map<string, number>()
        const again: [number, number | undefined][] = []
        let most = 0
        for (const [isHold, one] of steps) {
          const held = holders.get(one) ?? 0
          if (isHold) {
            const number = interned.hold(one)
            if (held > 0) again.push([number, numbers.get(one)])
            numbers.set(one, number)
            holders.set(one, held + 1)
          } else if (held > 0) {
            interned.release(numbers.get(one) ?? -1)
            holders.set(one, held - 1)
          }
          const there = [...holders].filter(([, count]) => count > 0).map(([name]) => name)
          most = Math.max(most, there.length)
          expect(there.map(name => interned.text(numbers.get(name) ?? -1))).toEqual(there)
          expect(there.every(name => (numbers.get(name) ?? most) < most)).toBe(true)
        }
        expect(again.every(([number, before]) => number === before)).toBe(true)
      }),
    )
  })
})
