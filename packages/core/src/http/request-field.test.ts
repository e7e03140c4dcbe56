import { describe, expect, it } from 'vitest'
import type { HeaderFields, RequestHead } from '../head.ts'
import { OptionError } from '../options/option.ts'
import { parseRequestField } from './request-field.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function request(headers: HeaderFields, url = '/'): RequestHead {
  return { ...BARE_REQUEST, headers, url }
}

describe('a request field', () => {
  it.each<[string, RequestHead, string[]]>([
    ['header:X-Session-ID', request({ 'x-session-id': 'a' }), ['a']],
    ['header:x-session-id', request({}), []],
    ['header:X-Session-ID', request({ 'x-session-id': '' }), []],
    ['header:X-Session-ID', request({ 'x-session-id': ['a', '', 'b'] }), ['a', 'b']],
    ['header:__proto__', request({}), []],
    ['header:constructor', request({}), []],
    ['query:room', request({}, '/?room=a&room=b'), ['a', 'b']],
    ['query:room', request({}, '/?room='), []],
    ['query:a:b', request({}, '/?a%3Ab=1'), ['1']],
    ['cookie:sid', request({ cookie: 'a=1; sid=x; sid="y"' }), ['x', 'y']],
    ['cookie:sid', request({ cookie: 'sid=' }), []],
    ['cookie:sid', request({}), []],
    ['path-parameter:jsessionid', request({}, '/a;jsessionid=x;b/c;jsessionid='), ['x']],
    ['path-parameter:jsessionid', request({}, '/a?;jsessionid=x'), []],
  ])('%s', (field, head, expected) => {
    expect(parseRequestField('hash', field)(head)).toEqual(expected)
  })

  it.each([undefined, 1, '', 'header', 'header:', 'header:a b', 'cookie:', 'cookie:a;b', 'query:', 'body:x'])(
    'refuses %j',
    value => {
      expect(() => parseRequestField('hash', value)).toThrow(OptionError)
    },
  )
})
