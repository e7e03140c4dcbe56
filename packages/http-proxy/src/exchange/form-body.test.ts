import { parse } from 'node:querystring'
import { describe, expect, it } from 'vitest'
import { formText } from './form-body.ts'

describe('a form', () => {
  it.each([
    [{ a: '1', b: 'x y&=+%', c: '' }, 'a=1&b=x+y%26%3D%2B%25&c='],
    [{ a: ['1', '2'], b: ['3'] }, 'a=1&a=2&b[]=3'],
    [{ user: { name: '\u00e9', tags: ['a', 'b'] } }, 'user[name]=%C3%A9&user[tags]=a&user[tags]=b'],
    [{ a: [{ b: '1' }, { b: '2' }] }, 'a[0][b]=1&a[1][b]=2'],
    [{ 'a[b]': '1' }, 'a%5Bb%5D=1'],
    [{ a: 1, b: true, c: null, '\ud800': '' }, 'a=1&b=true&c&%EF%BF%BD='],
    [{}, ''],
  ])('%j is written as %s', (form, text) => {
    expect(formText(form, undefined)).toBe(text)
  })

  it.each(['a=1&a=2', 'a[]=1&a[]=2', 'a%5B%5D=1&a%5B%5D=2'])('has its lists as they came: %s', text => {
    expect(formText({ a: ['1', '2'] }, text.length)).toBe(text)
  })

  it.each(['a=x+y', 'a=x%20y'])('has its blanks as they came: %s', text => {
    expect(formText({ a: 'x y' }, text.length)).toBe(text)
  })

  it('of another length than it had is written all the same', () => {
    expect(formText({ a: ['1', '2'] }, 1000)).toBe('a=1&a=2')
  })

  it('keeps what the parser of Node reads', () => {
    const text = 'a=1&a=2&b=%2B&b[]=x&c='
    expect(parse(formText(parse(text), undefined) ?? '')).toEqual(parse(text))
  })

  it.each([[{ a: () => 1 }], [{ a: Symbol('x') }], [{ a: 1n }], [ring()]])(
    'of other values cannot be written',
    form => {
      expect(formText(form, undefined)).toBeUndefined()
    },
  )
})

function ring(): object {
  const form: { a?: object } = {}
  form.a = form
  return form
}
