import { describe, expect, it } from 'vitest'
import { rawFields } from './raw-fields.ts'

describe('raw fields', () => {
  it.each<[string, readonly string[], Record<string, unknown>]>([
    ['nothing', [], {}],
    ['names in lower case', ['X-App', '1', 'ETAG', '"A"'], { 'x-app': '1', etag: '"A"' }],
    [
      'several lines of one name as several, in their order',
      ['Set-Cookie', 'a=1', 'Warning', '1', 'set-cookie', 'b=2', 'SET-COOKIE', 'c=3', 'warning', '2'],
      { 'set-cookie': ['a=1', 'b=2', 'c=3'], warning: ['1', '2'] },
    ],
    ['also where Node would drop the second', ['Age', '1', 'Age', '2'], { age: ['1', '2'] }],
    ['values as they are', ['X-A', ' é, "b" ', 'X-B', ''], { 'x-a': ' é, "b" ', 'x-b': '' }],
    ['no name without a value', ['X-A', '1', 'X-B'], { 'x-a': '1' }],
  ])('are %s', (_, raw, fields) => {
    expect(rawFields(raw)).toEqual(fields)
  })

  it('may have the names that every object has, but no other prototype', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__', '__PROTO__', 'valueOf']
    const fields = rawFields([...names, ...names].flatMap(name => [name, '1']))
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
    expect(Object.entries(fields)).toEqual(
      ['constructor', 'tostring', 'hasownproperty', 'valueof'].map(name => [name, ['1', '1']]),
    )
  })
})
