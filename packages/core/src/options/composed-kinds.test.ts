import { describe, expect, it } from 'vitest'
import { either, list, oneOf } from './composed-kinds.ts'
import { duration } from './duration-kind.ts'
import { OptionError } from './option.ts'
import { type OptionKind, parseOption } from './option-kind.ts'
import { integer, text, word } from './plain-kinds.ts'

/** The problems of a value, of code and of a file, and the value of the file without its wrong parts. */
function read(kind: OptionKind<unknown, unknown>, value: unknown) {
  const [errors, fileErrors]: [OptionError[], OptionError[]] = [[], []]
  kind.read('x', value, errors)
  const right = kind.readFile('x', value, fileErrors)
  return { problems: errors.map(({ message }) => message), right, inFile: fileErrors.length }
}

describe('a list', () => {
  const NUMBERS = list(integer({ min: 1, max: 9 }), {
    takes: 'a list of numbers',
    min: 1,
    *between(path, items) {
      if (new Set(items).size < items.length) yield new OptionError(path, items, 'different numbers')
    },
  })

  it('has its items checked, each by its place, and all together', () => {
    expect(parseOption(NUMBERS, 'x', [1, 2])).toEqual([1, 2])
    const { problems, right, inFile } = read(NUMBERS, [1, 0, 'a', 1])
    expect(problems).toEqual([
      expect.stringContaining('x[1]'),
      expect.stringContaining('x[2]'),
      expect.stringContaining('different numbers'),
    ])
    expect([right, inFile]).toEqual([undefined, 3])
  })

  it.each([[[]], ['1'], [{ 0: 1 }]])('is not %j', value => {
    expect(read(NUMBERS, value).problems).toEqual([expect.stringContaining('it takes a list of numbers')])
  })

  it('takes no hole for an item', () => {
    const holed: unknown[] = []
    holed[1] = 2
    expect(read(NUMBERS, holed).problems).toEqual([expect.stringContaining('x[0]')])
  })

  it('has a default, and a schema', () => {
    const kind = list(duration(), { takes: 'a list', default: [] })
    expect(parseOption(kind, 'x', undefined)).toEqual([])
    expect(NUMBERS.schema).toEqual({
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: 9 },
      minItems: 1,
    })
  })
})

describe('an object with one of several keys', () => {
  const SOURCE = oneOf({ file: text(), wait: duration() })

  it('gives its key and value', () => {
    expect(parseOption(SOURCE, 'x', { wait: '1s' })).toEqual({ key: 'wait', value: 1_000 })
    expect(parseOption(SOURCE, 'x', undefined)).toBeUndefined()
    expect(read(SOURCE, { wait: '1s' }).right).toEqual({ wait: '1s' })
  })

  it.each<[unknown, string]>([
    [{}, 'it takes an object with file or wait'],
    ['a', 'it takes an object with file or wait'],
    [{ flie: 'a' }, 'file'],
    [{ file: 'a', wait: '1s' }, 'x.wait cannot be combined with file; it takes one of file, wait'],
    [{ wait: 'soon' }, 'x.wait'],
  ])('refuses %j once', (value, message) => {
    const { problems, right, inFile } = read(SOURCE, value)
    expect(problems).toEqual([expect.stringContaining(message)])
    expect([right, inFile]).toEqual([undefined, 1])
  })
})

it('takes a plain value, or an object', () => {
  const kind = either({ plain: word(['raw']), object: oneOf({ file: text() }) })
  expect(parseOption(kind, 'x', 'raw')).toBe('raw')
  expect(parseOption(kind, 'x', { file: 'a' })).toEqual({ key: 'file', value: 'a' })
  expect(read(kind, ['raw']).problems).toEqual([expect.stringContaining('one of raw')])
  expect(read(kind, { fill: 'a' }).problems).toEqual([expect.stringContaining('x.fill')])
})
