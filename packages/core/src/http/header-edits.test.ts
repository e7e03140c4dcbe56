import { describe, expect, it } from 'vitest'
import { OptionError } from '../options/option.ts'
import { parseOption } from '../options/option-kind.ts'
import { editedValues, HEADER_EDITS, isProtected, parseHeaderSet } from './header-edits.ts'

describe('edits of an operator', () => {
  it('have each field once by its lower-case name, spelled as it was given', () => {
    const edits = parseOption(HEADER_EDITS, 'requestHeaders', { set: { 'X-Shop': '1' }, remove: ['Server'] })
    expect([...(edits?.set ?? [])]).toEqual([['x-shop', ['X-Shop', '1']]])
    expect([...(edits?.remove ?? [])]).toEqual(['server'])
  })

  it.each([undefined, {}, { set: {}, remove: [] }])('are none with %j', value => {
    expect(parseOption(HEADER_EDITS, 'requestHeaders', value)).toBeUndefined()
  })

  it('tell every field that cannot be set, and no value', () => {
    const fields = {
      'a b': 'x',
      Connection: 'close',
      'X-List': ['hush'],
      'X-Break': 'hush\n',
      Host: 'a/b',
      ok: '1',
    }
    let problems: readonly string[] = []
    try {
      parseHeaderSet('set', fields)
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      problems = error.message.split('; ')
    }
    const text = problems.join('; ')
    for (const part of ['set.(a key of 3 characters)', 'set.Connection', 'set.X-List', 'U+000A', 'set.Host'])
      expect(text, `names ${part}`).toContain(part)
    expect(text).not.toContain('hush')
  })

  it.each(['Transfer-Encoding', 'content-length', 'Upgrade', 'a b', '', 7])('remove no %j', name => {
    expect(() => parseOption(HEADER_EDITS, 'edits', { remove: [name] })).toThrow(OptionError)
  })
})

it('protects the fields of framing and of connections, and not the credentials for a proxy', () => {
  const names = ['connection', 'content-length', '__proto__', 'proxy-authorization', 'cookie']
  expect(names.map(isProtected)).toEqual([true, true, true, false, false])
})

describe('the values of an application', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['x', undefined, []],
    ['x', 'a', ['a']],
    ['x', '', ['']],
    ['x', 7, ['7']],
    ['x', ['a', 7], ['a', '7']],
    ['Cookie', ['a=1', 'b=2'], ['a=1; b=2']],
    ['host', 'a.test:80', ['a.test:80']],
    ['x', 'caf\u00e9\t', ['caf\u00e9\t']],
  ])('of %s, %j, make the lines %j', (name, value, lines) => {
    expect(editedValues(name, value)).toEqual(lines)
  })

  it.each<[string, unknown, string]>([
    ['a b', 'x', 'headers["a b"] cannot be sent: it is no header name'],
    ['a\u00fc"', 'x', String.raw`headers["a\u00fc\u0022"] cannot be sent: it is no header name`],
    ['x', null, 'headers.x cannot be sent: it is null'],
    ['x', Number.NaN, 'headers.x cannot be sent: it is NaN'],
    ['x', {}, 'headers.x cannot be sent: it is an object'],
    ['x', true, 'headers.x cannot be sent: it is a boolean'],
    ['x', ['a', ['b']], 'headers.x cannot be sent: it is a list in a list'],
    ['x', 'hush\r\n', 'headers.x cannot be sent: it has a character that no header may have (U+000D)'],
    ['x', '\u0100', 'headers.x cannot be sent: it has a character that no header may have (U+0100)'],
    ['host', ['a', 'b'], 'headers.host cannot be sent: it has several values'],
    ['host', 'a b', 'headers.host cannot be sent: it is no host'],
  ])('of %s, %j, are refused', (name, value, message) => {
    expect(() => editedValues(name, value)).toThrow(message)
    expect(() => editedValues(name, value)).not.toThrow('hush')
  })
})
