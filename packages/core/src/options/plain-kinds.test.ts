import { describe, expect, it } from 'vitest'
import type { OptionError } from './option.ts'
import { type OptionKind, parseOption } from './option-kind.ts'
import { boolean, callback, integer, number, text, word } from './plain-kinds.ts'

const PORT = integer({ min: 1, max: 9 })
const SHARE = number({ min: 0, max: 1, default: 0.5 })
const NAME = text({ pattern: /^[a-z]+$/, takes: 'small letters' })
const MODE = word(['fast', 'careful', true], { default: 'fast' })

describe('a plain value', () => {
  it.each<[string, OptionKind<unknown, unknown>, unknown, unknown]>([
    ['boolean', boolean(), false, false],
    ['boolean', boolean({ default: true }), undefined, true],
    ['integer', PORT, 9, 9],
    ['integer', PORT, undefined, undefined],
    ['number', SHARE, 0, 0],
    ['number', SHARE, undefined, 0.5],
    ['text', NAME, 'abc', 'abc'],
    ['text', text(), ' ', ' '],
    ['word', MODE, true, true],
    ['word', MODE, undefined, 'fast'],
  ])('of the kind %s is taken', (_, kind, value, out) => {
    expect(parseOption(kind, 'option', value)).toBe(out)
  })

  it.each<[string, OptionKind<unknown, unknown>, unknown, string]>([
    ['boolean', boolean(), 'true', 'it takes true or false'],
    ['integer', PORT, 0, 'it takes a whole number from 1 to 9'],
    ['integer', PORT, 10, 'a whole number'],
    ['integer', PORT, 1.5, 'a whole number'],
    ['integer', PORT, '5', 'a whole number'],
    ['number', SHARE, 1.1, 'it takes a number from 0 to 1'],
    ['number', SHARE, Number.NaN, 'a number'],
    ['text', NAME, 'aB', 'it takes small letters'],
    ['text', text(), '', 'it takes a text that is not empty'],
    ['text', text(), 7, 'a text'],
    ['word', MODE, 'fasst', 'fast'],
    ['word', MODE, null, 'it takes one of fast, careful, true'],
    ['callback', callback(), 'f', 'it takes a function'],
  ])('of the kind %s is refused, and so it is in a file', (_, kind, value, message) => {
    expect(() => parseOption(kind, 'option', value)).toThrow(message)
    const errors: OptionError[] = []
    expect([kind.readFile('option', value, errors), errors.length]).toEqual([undefined, 1])
  })
})

it('gives the schema of files, with the default', () => {
  expect([boolean(), PORT, SHARE, NAME, MODE, callback()].map(({ schema }) => schema)).toEqual([
    { type: 'boolean' },
    { type: 'integer', minimum: 1, maximum: 9 },
    { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
    { type: 'string', pattern: '^[a-z]+$' },
    { enum: ['fast', 'careful', true], default: 'fast' },
    undefined,
  ])
})

it('gives back a function as it is, or its default', () => {
  const [own, other] = [() => 1, () => 2]
  expect(parseOption(callback<() => number>({ default: other }), 'now', own)).toBe(own)
  expect(parseOption(callback<() => number>({ default: other }), 'now', undefined)).toBe(other)
  expect(parseOption(callback(), 'now', undefined)).toBeUndefined()
})
