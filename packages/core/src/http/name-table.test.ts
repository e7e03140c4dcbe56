import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameTable } from './name-table.ts'

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,70}$/, { size: 'max' })

describe('a first look at a name', () => {
  it('never overlooks one that is meant, in any spelling, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 20 }), fc.nat(), (names, at) => {
        const name = names[at % names.length] ?? ''
        const mayConcern = nameTable(names.filter(one => one.length < 64))
        expect([name, name.toUpperCase()].map(mayConcern)).toEqual([true, true])
      }),
    )
  })

  it('ignores names with another first letter or length', () => {
    const mayConcern = nameTable(['host', 'cookie'])
    expect(['accept', 'hos', 'hosts', 'cook', 'c', '4ost', ''].map(mayConcern)).toEqual(Array(7).fill(false))
  })

  it('compares names that do not fit into the table', () => {
    const mayConcern = nameTable(['host'])
    expect(['x'.repeat(64), 'x'.repeat(1000), '\u00e4'].map(mayConcern)).toEqual([true, true, true])
    expect(mayConcern('x'.repeat(63))).toBe(false)
  })
})
