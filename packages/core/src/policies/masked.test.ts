import { expect, it } from 'vitest'
import { masked } from './masked.ts'

it.each([
  ['v1.3fK9a.0123456789abcdef', 'v1.3fK9a... (25 characters)'],
  ['x'.repeat(24), `${'x'.repeat(8)}... (24 characters)`],
  ['x'.repeat(23), '... (23 characters)'],
  ['', '... (0 characters)'],
])('shows of %j no more than %j', (value, text) => {
  expect(masked(value)).toBe(text)
})
