import { describe, expect, it } from 'vitest'
import type { OptionError } from './option.ts'
import { integer } from './plain-kinds.ts'
import { record } from './record-kind.ts'

const WEIGHTS = record(integer({ min: 0, max: 9 }), { pattern: /^[a-z]+$/, names: 'small letters', min: 1 })

function readFile(value: unknown): { readonly kept: unknown; readonly problems: readonly string[] } {
  const errors: OptionError[] = []
  const kept = WEIGHTS.readFile('weights', value, errors)
  return { kept, problems: errors.map(({ option, redacted }) => `${option} ${redacted}`) }
}

describe('an object with names that users choose', () => {
  it('keeps the right values', () => {
    expect(readFile({ a: 1, b: 2 })).toEqual({ kept: { a: 1, b: 2 }, problems: [] })
  })

  it('leaves out wrong names and wrong values', () => {
    expect(readFile({ a: 1, B: 2, c: 10, d: null })).toEqual({
      kept: { a: 1 },
      problems: [
        'weights.B has a wrong name; it takes small letters',
        'weights.c got 10; it takes a whole number from 0 to 9',
        'weights.d got null; it takes a whole number from 0 to 9',
      ],
    })
  })

  it('has a least number of entries', () => {
    expect(readFile({}).problems).toEqual(['weights is empty; it takes one at least'])
  })

  it.each([[], 'a', 1, null])('is not %j', value => {
    expect(readFile(value)).toMatchObject({
      kept: undefined,
      problems: [expect.stringContaining('an object')],
    })
  })

  it('has a JSON Schema', () => {
    expect(WEIGHTS.schema).toEqual({
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0, maximum: 9 },
      minProperties: 1,
      propertyNames: { pattern: '^[a-z]+$' },
    })
  })
})
