import { expect, it } from 'vitest'
import { wireLine } from './wire-line.ts'

it.each([
  [['Connection', 'close'], 'close'],
  [['X', '1', 'CONNECTION', 'a', 'connection', 'b'], 'a, b'],
  [['connection', ''], ''],
  [['connections', 'a'], undefined],
  [['x', 'connection'], undefined],
  [['connection'], undefined],
  [[], undefined],
])('joins the lines of a field in %j', (lines, value) => {
  expect(wireLine(lines, 'connection')).toBe(value)
})
