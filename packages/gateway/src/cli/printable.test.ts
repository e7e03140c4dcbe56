import { expect, it } from 'vitest'
import { printable } from './printable.ts'

it('puts blanks in the place of characters that a terminal obeys, and keeps lines', () => {
  expect(printable('a\u001b[2J\r\n\u009bb\tc\u202ed\u2066e\u0000')).toBe('a [2J \n b c d e ')
  expect(printable('caf\u00e9 \u{1f600} 日本')).toBe('caf\u00e9 \u{1f600} 日本')
})
