import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderFields, RequestHead } from '../head.ts'
import { keepPrivate } from './cache-control.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function request(method: string): RequestHead {
  return { ...BARE_REQUEST, method }
}

function cacheControl(fields: HeaderFields, method = 'GET', statusCode = 200): HeaderFields[string] {
  const edited = { ...fields }
  keepPrivate({ request: request(method), response: { statusCode, headers: fields } }, edited)
  return edited['cache-control']
}

describe('an answer with a new cookie', () => {
  it.each<[string, HeaderFields, string | undefined]>([
    [
      'that is public becomes private, in one line [LB029] [T-16]',
      { etag: '"x"', 'cache-control': 'public, max-age=60' },
      'private, max-age=60',
    ],
    ['that names a time becomes private', { 'cache-control': 'max-age=60' }, 'private, max-age=60'],
    ['loses the time of shared caches', { 'cache-control': 's-maxage=60, max-age=9' }, 'private, max-age=9'],
    ['loses what only shared caches obey', { 'cache-control': 'public, proxy-revalidate' }, 'private'],
    ['of capitals becomes private', { 'cache-control': 'Public, S-MaxAge=9' }, 'private'],
    ['in several lines gets one', { 'cache-control': ['public', 'max-age=60'] }, 'private, max-age=60'],
    ['that is private for one field becomes private', { 'cache-control': 'private="set-cookie"' }, 'private'],
    [
      'keeps a comma in quotes together',
      { 'cache-control': 'public, no-cache="a, public, b", x="\\", public, "' },
      'private, no-cache="a, public, b", x="\\", public, "',
    ],
    ['with a validator becomes private', { etag: '"x"' }, 'private'],
    ['with a date becomes private', { 'last-modified': 'x' }, 'private'],
    ['that expires becomes private', { expires: '0' }, 'private'],
    ['that must be asked about becomes private', { 'cache-control': 'no-cache' }, 'private, no-cache'],
    ['that no cache stores is left alone [LB030]', { 'cache-control': 'no-store' }, 'no-store'],
    ['that is private is left alone', { 'cache-control': 'max-age=9, private' }, 'max-age=9, private'],
    ['that is Private is left alone', { 'cache-control': 'Private' }, 'Private'],
    ['that no cache would store is left alone [LB031]', {}, undefined],
    ['with an empty field is left alone', { 'cache-control': ' , ' }, ' , '],
  ])('%s', (_, fields, expected) => {
    expect(cacheControl(fields)).toBe(expected)
  })

  it.each([
    ['POST', 200, 'public'],
    ['PUT', 200, 'public'],
    ['OPTIONS', 200, 'public'],
  ])('to %s %i is left alone: no cache stores it [LB033]', (method, status, expected) => {
    expect(cacheControl({ 'cache-control': 'public' }, method, status)).toBe(expected)
  })

  it.each([200, 203, 204, 206, 300, 301, 302, 304, 307, 308, 404, 410, 500])(
    'of status %i that says it may be stored becomes private [T-16]',
    status => {
      expect(cacheControl({ 'cache-control': 'public, max-age=60' }, 'GET', status)).toBe(
        'private, max-age=60',
      )
      expect(cacheControl({ 'cache-control': 's-maxage=60' }, 'HEAD', status)).toBe('private')
    },
  )

  it.each([201, 302, 307, 400, 403, 500, 503])(
    'of status %i that does not say so is left alone, for no cache guesses',
    status => {
      expect(cacheControl({ etag: '"x"' }, 'GET', status)).toBe(undefined)
    },
  )

  it('never leaves a directive that lets a shared cache keep it', () => {
    const directive = fc.constantFrom(
      'public',
      'PUBLIC',
      's-maxage=9',
      'S-MAXAGE=9',
      'max-age=1',
      'x="a,b"',
      'private=x',
      '',
    )
    fc.assert(
      fc.property(
        fc.array(directive, { minLength: 1 }),
        fc.constantFrom(',', ', ', ' ,'),
        (list, separator) => {
          fc.pre(list.some(one => one !== ''))
          const edited = String(cacheControl({ 'cache-control': list.join(separator) }))
          const directives = edited.split(/, /).map(one => one.toLowerCase())
          expect(directives.filter(one => one === 'private')).toHaveLength(1)
          expect(directives.filter(one => one === 'public' || one.startsWith('s-maxage'))).toEqual([])
          expect(directives.filter(one => one === 'max-age=1')).toHaveLength(
            list.filter(one => one === 'max-age=1').length,
          )
        },
      ),
    )
  })

  it.each([
    ['commas', ','],
    ['quotes', '"'],
    ['quotes and backslashes', '"\\'],
    ['backslashes in quotes', '"\\\\'],
    ['letters', 'a'],
    ['blanks', ' '],
    ['blanks and quotes', ' "'],
  ])('and %s for Cache-Control takes linear time [T-14]', (_, unit) => {
    const before = performance.now()
    cacheControl({ 'cache-control': `public, ${unit.repeat(65_536 / unit.length)}` })
    expect(performance.now() - before).toBeLessThan(250)
  })
})
