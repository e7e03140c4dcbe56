import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { queryValues } from './query.ts'

function decodedIfSound(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

describe('values of a query parameter', () => {
  it.each([
    ['/', []],
    ['/?', []],
    ['/?room=1', ['1']],
    ['/?a=b&room=1&room=2', ['1', '2']],
    ['/room=1?a=b', []],
    ['/?broom=1&rooms=2', []],
    ['/?room', ['']],
    ['/?room=', ['']],
    ['/?room=a=b', ['a=b']],
    ['/?room=a%20b+c', ['a b c']],
    ['/?r%6fom=1', ['1']],
    ['/?room=%', ['%']],
    ['/?room=%ff', ['%ff']],
    ['/?room=1?room=2', ['1?room=2']],
    ['/?&&room=1&', ['1']],
    ['/?__proto__=1', []],
  ])('of %s', (target, expected) => {
    expect(queryValues(target, 'room')).toEqual(expected)
  })

  it('are those that URLSearchParams reads', () => {
    const pairs = fc.array(
      fc.tuple(fc.constantFrom('room', 'a', '', 'ro om', '__proto__'), fc.string({ unit: 'grapheme' })),
    )
    fc.assert(
      fc.property(pairs, fc.constantFrom('room', 'a', 'ro om', '__proto__'), (given, name) => {
        const search = new URLSearchParams(given)
        expect(queryValues(`/path?${search.toString()}`, name)).toEqual(search.getAll(name))
      }),
    )
  })

  it('are decoded as decodeURIComponent does, and left as they are where it throws', () => {
    const piece = fc.constantFrom(
      ...'a % %4 %41 %zz %ff %00 %2B %26 \u00e4 %c3%a4 %c3 %a4 %f0%9f%98%80 %ed%a0%80 %C0%80 %ef%bb%bf %e2%82'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), pieces => {
        const value = pieces.join('')
        expect(queryValues(`/?room=${value}`, 'room')).toEqual([decodedIfSound(value)])
      }),
      { numRuns: 2000 },
    )
  })

  it('takes time that grows with the length alone, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), target => Array.isArray(queryValues(target, 'room'))),
    )
    // To read the rest for every pair that has no `=` took half a minute.
    const wide = 'room'.repeat(10)
    // An exception for every escape that is none took 2 s.
    for (const pair of ['%&', '+&', '%ff&', '%zz=%&', 'e%&', 'room=%41&', `${wide}&`, '=&', '&'])
      expect(queryValues(`/?${pair.repeat(200_000)}end=1`, 'end')).toEqual(['1'])
    const long = `${'%ff'.repeat(200_000)}+`
    expect(queryValues(`/?${long}&end=${long}`, 'end')).toEqual([long])
    const before = performance.now()
    queryValues(`/?${'%&'.repeat(200_000)}`, 'room')
    expect(performance.now() - before).toBeLessThan(1_000)
  })
})
