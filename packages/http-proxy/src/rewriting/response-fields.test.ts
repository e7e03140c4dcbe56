import { expect, it } from 'vitest'
import { checkedFields } from './response-fields.ts'

const FIELDS = { 'content-length': '3', 'x-own': 'a', vary: 'b' }

it('takes the fields of the application, in lower case, and never its framing', () => {
  const returned = {
    'X-Own': 'c',
    'X-Number': 7,
    'X-List': ['1', 2],
    'X-Gone': undefined,
    'Content-Length': '9',
    'Transfer-Encoding': 'chunked',
  }
  expect(checkedFields(FIELDS, returned, 'rewriteHeaders')).toEqual({
    'x-own': 'c',
    'x-number': '7',
    'x-list': ['1', '2'],
    'content-length': '3',
  })
})

it('keeps a value of the backend that no application could write', () => {
  const fields = { 'x-own': 'a\u0100' }
  expect(checkedFields(fields, fields, 'rewriteHeaders')).toEqual(fields)
})

it.each([
  [undefined, 'rewriteHeaders cannot be sent: it is no object of header fields'],
  [{ 'a b': '1' }, 'it is no header name'],
  [{ 'x-a': 'a\nb' }, 'rewriteHeaders.x-a cannot be sent: it has a character'],
  [{ 'x-a': {} }, 'it is an object'],
])('refuses %j', (returned, message) => {
  expect(() => checkedFields(FIELDS, returned, 'rewriteHeaders')).toThrow(message)
})
