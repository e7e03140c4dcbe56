import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs } from './duration.ts'
import { OptionError } from './option.ts'

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['30m', 1_800_000],
    ['8h', 28_800_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['24d', 2_073_600_000],
    [0, 0],
    [1500, 1500],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ])('of %s is %i milliseconds', (value, expected) => {
    expect(durationMs('maxIdle', value, '1s')).toBe(expected)
  })

  it('is the one to fall back on when there is none', () => {
    expect(durationMs('maxIdle', undefined, '90s')).toBe(90_000)
    expect(durationMs('maxIdle', undefined, 7)).toBe(7)
  })

  it.each([
    '5',
    '5 s',
    ' 5s',
    '5s\n',
    '5S',
    '-5s',
    '+5s',
    '1e3s',
    '.5s',
    '5.s',
    '5w',
    's',
    '',
    '25d',
    '1234567890123ms',
    -1,
    Number.NaN,
    Infinity,
    2 ** 31,
    true,
    {},
    ['5s'],
  ])('is not %j', value => {
    let error: unknown
    try {
      durationMs('cookie.maxIdle', value, '1s')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ option: 'cookie.maxIdle' })
    expect(String(error)).toContain('24d')
  })

  it('is its number times its unit', () => {
    const units = fc.constantFrom(['ms', 1] as const, ['s', 1000] as const, ['m', 60_000] as const)
    fc.assert(
      fc.property(fc.nat(30_000), units, (count, [unit, ms]) => {
        expect(durationMs('x', `${count}${unit}`, 0)).toBe(count * ms)
      }),
    )
  })
})
