import { expect, it } from 'vitest'
import { duration } from './duration-kind.ts'
import type { OptionError } from './option.ts'
import { type OptionKind, parseOption } from './option-kind.ts'

const WAIT = duration({ min: 1_000, max: 3_600_000, default: '5s' })

it.each([
  [undefined, 5_000],
  ['2s', 2_000],
  [1_500, 1_500],
  ['1h', 3_600_000],
])('reads %j as %d ms', (value, ms) => {
  expect(parseOption(WAIT, 'wait', value)).toBe(ms)
})

it('is absent where there is no default', () => {
  expect(parseOption(duration(), 'wait', undefined)).toBeUndefined()
  expect(parseOption(duration(), 'wait', 0)).toBe(0)
})

it.each(['999ms', 0, '2h', 'soon', -1, '5 s', null])('refuses %j in code', value => {
  expect(() => parseOption(WAIT, 'wait', value)).toThrow(/^option wait /)
})

/** The value of a file, and its problems. */
function inFile(
  value: unknown,
  kind: Pick<OptionKind<unknown, unknown>, 'readFile'> = WAIT,
): readonly unknown[] {
  const errors: OptionError[] = []
  return [kind.readFile('wait', value, errors), ...errors.map(({ message }) => message)]
}

it('takes a duration of a file as it stands there', () => {
  expect([inFile('2s'), inFile('1.5h', duration()), inFile(0, duration())]).toEqual([['2s'], ['1.5h'], [0]])
})

it.each([
  [30, 'a number without a unit; it takes a duration, as 250ms, 5s, 30m, 8h or 7d'],
  ['30', 'it takes a duration, as 250ms'],
  ['5 s', 'it takes a duration, as 250ms'],
  [true, 'it takes a duration, as 250ms'],
  [0, 'it takes a duration of at least 1s'],
  ['1ms', 'it takes a duration of at least 1s'],
  ['2h', 'it takes a duration of at most'],
])('refuses %j in a file', (value, message) => {
  expect(inFile(value)).toEqual([undefined, expect.stringContaining(message)])
})

it('says the least duration in milliseconds where it is no whole second', () => {
  expect(() => parseOption(duration({ min: 1_500 }), 'wait', 1)).toThrow('at least 1500ms')
})
