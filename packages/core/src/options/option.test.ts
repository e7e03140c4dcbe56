import { describe, expect, it } from 'vitest'
import { OptionError, optionInteger, optionList, optionObject } from './option.ts'

describe('an option error', () => {
  it('names the option, the value and the accepted values', () => {
    const error = new OptionError('backends[1].url', 'x', 'a url')
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({
      name: 'OptionError',
      code: 'ERR_INVALID_OPTION',
      option: 'backends[1].url',
    })
    expect(error.message).toBe('option backends[1].url got "x"; it takes a url')
  })

  it.each<[unknown, string]>([
    ['a "b"\n', String.raw`"a \"b\"\n"`],
    [7, '7'],
    [Number.NaN, 'NaN'],
    [12345678901234567n, 'a number of 17 characters'],
    ['redis://user:password@host', 'a text of 26 characters'],
    ['redis://:p@h', 'a text of 12 characters'],
    ['a-token-of-16-ch', 'a text of 16 characters'],
    [7n, '7'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'a symbol'],
    [[1, 2], 'a list of 2'],
    [{ password: 'x' }, 'an object'],
    [Object.create(null), 'an object'],
    [() => 'x', 'a function'],
  ])('tells what it got, and never the text of a secret in the wrong place (%#)', (got, shown) => {
    expect(new OptionError('o', got, 'a').message).toBe(`option o got ${shown}; it takes a`)
  })
})

describe('an absent option has its default', () => {
  it.each([['a whole number', () => optionInteger('o', undefined, 3, 1, 5), 3]])(
    '%s',
    (_, read, expected) => {
      expect(read()).toBe(expected)
    },
  )
})

describe('an option that is given is taken', () => {
  it.each([
    ['the least number', () => optionInteger('o', 1, 3, 1, 5), 1],
    ['the largest number', () => optionInteger('o', 5, 3, 1, 5), 5],
  ])('%s', (_, read, expected) => {
    expect(read()).toBe(expected)
  })

  it('a list and an object as they are', () => {
    const [list, object] = [[1], { a: 1 }]
    expect(optionList('o', list, 'a list')).toBe(list)
    expect(optionObject('o', object, ['a', 'b'])).toBe(object)
  })
})

describe('a key that is not known', () => {
  it.each([
    [
      'affinity[0].cookie',
      'nam',
      'option affinity[0].cookie.nam is not known (did you mean name?); known are name, path',
    ],
    ['', 'pth', 'option pth is not known (did you mean path?); known are name, path'],
    ['tls', 'whatever', 'option tls.whatever is not known; known are name, path'],
  ])('of %j is named, with the one that was meant: %s', (path, key, message) => {
    expect(() => optionObject(path, { [key]: 1 }, ['name', 'path'])).toThrow(
      expect.objectContaining({ message, option: path === '' ? key : `${path}.${key}` }),
    )
  })
})

describe('an option is refused', () => {
  it.each<[string, () => unknown, string, string]>([
    ['a number below the least', () => optionInteger('o', 0, 3, 1, 5), 'o', 'from 1 to 5'],
    ['a number above the largest', () => optionInteger('o', 6, 3, 1, 5), 'o', 'from 1 to 5'],
    ['a number that is not whole', () => optionInteger('o', 1.5, 3, 1, 5), 'o', 'whole'],
    ['a number that is none', () => optionInteger('o', Number.NaN, 3, 1, 5), 'o', 'NaN'],
    ['a list that is none', () => optionList('o', { length: 0 }, 'a list of x'), 'o', 'a list of x'],
    ['an object that is a list', () => optionObject('o', [], ['a', 'b']), 'o', 'an object with a, b'],
    ['an unknown key', () => optionObject('o', { c: 1 }, ['a', 'b']), 'o.c', 'known are a, b'],
    ['an unknown key at the top', () => optionObject('', { c: 1 }, ['a', 'b']), 'c', 'known are a, b'],
    [
      'a member of Object as a key [T-13]',
      () => optionObject('o', JSON.parse('{"__proto__":1}'), ['a']),
      'o.__proto__',
      'a',
    ],
  ])('%s', (_, read, option, says) => {
    let error: unknown
    try {
      read()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ option })
    expect(String(error)).toContain(says)
  })
})
