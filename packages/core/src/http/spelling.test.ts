import { expect, it } from 'vitest'
import { isSpelling } from './spelling.ts'

it.each([
  ['Cookie', 'cookie', true],
  ['COOKIE', 'cookie', true],
  ['cookie', 'cookie', true],
  ['Cookies', 'cookie', false],
  ['Cooky', 'cooky2', false],
  // Longer in lower case.
  ['\u0130', 'i', false],
  ['K', '\u212a', false],
])('%j is a spelling of %j: %s', (name, lower, is) => {
  expect([isSpelling(name, lower), isSpelling(name, lower)]).toEqual([is, is])
})

it('still tells names after more spellings than it keeps', () => {
  for (let count = 0; count < 2_500; count += 1) expect(isSpelling(`X-${count}`, `x-${count}`)).toBe(true)
  expect([isSpelling('X-1', 'x-1'), isSpelling('X-1', 'x-2')]).toEqual([true, false])
  expect(isSpelling('X'.repeat(100), 'x'.repeat(100))).toBe(true)
})
