import { expect, it } from 'vitest'
import { hashOf, keyOf, sampleKey } from './haproxy-sample.ts'

it.each([
  ['src', 'ip'],
  ['path', 'path'],
  ['req.cook(sid)', 'cookie:sid'],
  ['cookie(sid)', 'cookie:sid'],
  ['hdr(X-Id)', 'header:X-Id'],
  ['req.fhdr(X-Id,1)', 'header:X-Id'],
  ['url_param(u)', 'query:u'],
  ['urlp(u)', 'query:u'],
  ['hdr(X-Id,2)', undefined],
  ['hdr(X-Id),lower', undefined],
  ['res.hdr(X-Id)', undefined],
  ['rand', undefined],
  ['', undefined],
])('the sample %j is the key %s', (sample, key) => {
  expect(sampleKey(sample)).toBe(key)
})

it('names a part of the request only by a plain name', () => {
  expect([keyOf('query', 'u'), keyOf('query', 'a b'), keyOf('query', undefined)]).toEqual([
    'query:u',
    undefined,
    undefined,
  ])
})

it('hashes an address of IPv6 as a whole, as HAProxy does', () => {
  expect([hashOf('ip'), hashOf('path')]).toEqual([{ hash: 'ip', ipv6Prefix: 128 }, { hash: 'path' }])
})
