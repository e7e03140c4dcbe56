import { describe, expect, it } from 'vitest'
import type { HeaderFields } from '../head.ts'
import { responseFields } from './response-fields.ts'

function fields(headers: HeaderFields): HeaderFields {
  return responseFields({ statusCode: 200, headers })
}

describe('the fields of an answer that the client gets', () => {
  it('are the backend’s, as they are', () => {
    const headers = {
      'content-type': 'text/html',
      'content-length': '5',
      'set-cookie': ['a=1', 'b=2'],
      'cache-control': 'public',
      'x-forwarded-for': 'mine',
      'x-none': undefined,
    }
    expect(fields(headers)).toEqual(headers)
  })

  it('are a copy, so that an edit does not reach the backend’s', () => {
    const headers: HeaderFields = { 'x-a': '1' }
    fields(headers)['x-a'] = '2'
    expect(headers).toEqual({ 'x-a': '1' })
  })

  it.each([
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ])('do not have %s', name => {
    expect(fields({ [name]: 'x', 'x-a': '1' })).toEqual({ 'x-a': '1' })
  })

  it('do not have fields that Connection names, except end-to-end ones [T-34]', () => {
    const headers = {
      connection: 'X-A, set-cookie, Cache-Control',
      'x-a': '1',
      'set-cookie': 'a=1',
      'cache-control': 'public',
    }
    expect(fields(headers)).toEqual({ 'set-cookie': 'a=1', 'cache-control': 'public' })
    expect(fields({ connection: ['close', 'x-a'], 'x-a': '1' })).toEqual({})
  })

  it('survive names that are members of Object [T-13]', () => {
    const headers = JSON.parse(
      '{"__proto__":["x","X"],"constructor":"y","tostring":"z","hasownproperty":"w"}',
    ) as HeaderFields
    const got = fields(headers)
    expect(Object.entries(got)).toEqual([
      ['constructor', 'y'],
      ['tostring', 'z'],
      ['hasownproperty', 'w'],
    ])
    expect(Object.getPrototypeOf(got)).toBe(Object.prototype)
  })

  it('are read from an object without a prototype too', () => {
    const headers: HeaderFields = Object.assign(Object.create(null) as HeaderFields, { 'x-a': '1' })
    expect(fields(headers)).toEqual({ 'x-a': '1' })
  })
})

describe('the fields that a client of HTTP/2 gets', () => {
  function http2Fields(headers: HeaderFields): HeaderFields {
    return responseFields({ statusCode: 200, headers }, true)
  }

  it('have the first of several values where there may be one', () => {
    const headers = {
      etag: ['"1"', '"2"'],
      location: ['/a', '/b'],
      'x-content-type-options': ['nosniff', 'x'],
    }
    expect(http2Fields(headers)).toEqual({ etag: '"1"', location: '/a', 'x-content-type-options': 'nosniff' })
    expect(fields(headers), 'HTTP/1').toEqual(headers)
  })

  it('have all values of a list, in one line where HTTP/2 has one', () => {
    const headers = {
      'content-encoding': ['gzip', 'br'],
      'content-language': ['de', 'fr, en'],
      vary: ['a', 'b'],
      'set-cookie': ['a=1', 'b=2'],
    }
    expect(http2Fields(headers)).toEqual({
      ...headers,
      'content-encoding': 'gzip, br',
      'content-language': 'de, fr, en',
    })
  })
})
