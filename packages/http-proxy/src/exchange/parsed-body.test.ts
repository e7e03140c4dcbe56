import { describe, expect, it } from 'vitest'
import type { HeaderFields } from '@limpet/core'
import { gzipSync } from 'node:zlib'
import { type ParsedBody, writtenBody } from './parsed-body.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const TEXT = { 'content-type': 'text/plain; charset=iso-8859-1' }
const GZIP = { 'content-encoding': 'gzip' }

describe('a body that a parser has read', () => {
  it.each<[string, ParsedBody, HeaderFields, string]>([
    ['kept bytes', { body: { a: 1 }, rawBody: Buffer.from('{"a" :1}') }, JSON_TYPE, '{"a" :1}'],
    ['kept text', { body: { a: 1 }, rawBody: '{"a" :1}' }, JSON_TYPE, '{"a" :1}'],
    ['a buffer', { body: Buffer.from('a\u00ff') }, {}, 'a\u00ff'],
    ['JSON', { body: { a: [1, null, 'é'] } }, JSON_TYPE, '{"a":[1,null,"é"]}'],
    ['JSON of another type', { body: [1] }, { 'content-type': 'application/problem+json' }, '[1]'],
    ['the text of JSON', { body: '{"a" :1}' }, JSON_TYPE, '{"a" :1}'],
    ['a text that JSON was', { body: 'a' }, JSON_TYPE, '"a"'],
    ['a text that is a number', { body: '1' }, { ...JSON_TYPE, 'content-length': '3' }, '"1"'],
    ['a large measure', { body: 1e300 }, JSON_TYPE, '1e+300'],
    ['a form', { body: { a: '1', b: ['x y', '&'] } }, FORM, 'a=1&b=x+y&b=%26'],
    ['text', { body: 'a\n' }, { 'content-type': 'text/plain' }, 'a\n'],
  ])('is written again: %s', (_, parsed, headers, text) => {
    expect(writtenBody(parsed, headers)).toEqual({ bytes: Buffer.from(text), isDecoded: false })
  })

  it('is written in its charset', () => {
    expect(writtenBody({ body: 'é' }, TEXT).bytes).toEqual(Buffer.from('é', 'latin1'))
    const latin = { 'content-type': 'application/json; charset="ISO-8859-1"' }
    expect(writtenBody({ body: { a: 'é€' } }, latin).bytes.toString()).toBe(String.raw`{"a":"\u00e9\u20ac"}`)
  })

  it.each<[string, ParsedBody, HeaderFields]>([
    ['a part of the bytes', { rawBody: Buffer.from('abc') }, { 'content-length': '4' }],
    ['an upload in parts', { body: { a: 1 } }, { 'content-type': 'multipart/form-data; boundary=x' }],
    ['a rounded number', { body: { id: 2 ** 60 } }, JSON_TYPE],
    ['no number', { body: [Number.NaN] }, JSON_TYPE],
    ['nothing', {}, JSON_TYPE],
    ['nothing', { body: {} }, {}],
    ['bytes that were no text', { body: 'a\uFFFD' }, { 'content-type': 'text/plain' }],
    ['another charset', { body: 'a' }, { 'content-type': 'text/plain; charset=utf-16' }],
    ['a character that the charset has not', { body: '€' }, TEXT],
    [
      'a form in another charset',
      { body: { a: '1' } },
      { 'content-type': `${FORM['content-type']}; charset=latin1` },
    ],
  ])('is refused when it is %s', (_, parsed, headers) => {
    expect(() => writtenBody(parsed, headers)).toThrow(
      expect.objectContaining({ statusCode: 500, reason: 'body_parsed' }),
    )
  })

  it('is refused when it holds itself', () => {
    const body: { self?: unknown } = {}
    body.self = body
    expect(() => writtenBody({ body }, JSON_TYPE)).toThrow('cannot be written as JSON')
  })

  it('loses its coding only where the parser has inflated it', () => {
    const coded = gzipSync('hello')
    const length = String(coded.length)
    expect(writtenBody({ rawBody: coded }, { ...GZIP, 'content-length': length })).toEqual({
      bytes: coded,
      isDecoded: false,
    })
    expect(writtenBody({ rawBody: Buffer.from('hello') }, { ...GZIP, 'content-length': length })).toEqual({
      bytes: Buffer.from('hello'),
      isDecoded: true,
    })
    expect(
      writtenBody({ body: { a: 1 } }, { ...GZIP, ...JSON_TYPE, 'content-length': length }).isDecoded,
    ).toBe(true)
    expect(writtenBody({ rawBody: Buffer.from('x') }, { 'content-encoding': 'identity' }).isDecoded).toBe(
      false,
    )
  })
})
