import { expect, it } from 'vitest'
import { durationText } from './duration-text.ts'

it.each([
  [0, '0s'],
  [59_400, '59s'],
  [59_500, '1m 0s'],
  [552_000, '9m 12s'],
  [3_600_000, '1h 0m'],
  [7_500_000, '2h 5m'],
  [90_000_000, '25h 0m'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
