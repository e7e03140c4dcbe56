import { describe, expect, it } from 'vitest'
import { compileTrustProxy } from '../http/client.ts'
import { type HeaderFields, type RequestHead, requestHead } from '../head.ts'
import { parseHashKeys } from './hash-key.ts'

function request(headers: HeaderFields = {}, url = '/', remoteAddress?: string): RequestHead {
  const method = 'GET'
  return requestHead({ method, url, httpVersion: '1.1', rawHeaders: [], headers, socket: { remoteAddress } })
}

const from = (address: string, headers: HeaderFields = {}): RequestHead => request(headers, '/', address)

function keyOf(keys: unknown, one: RequestHead, prefixes = { ipv4Prefix: 32, ipv6Prefix: 64 }) {
  const trusts = compileTrustProxy('trustProxy', ['10.0.0.1'])
  return parseHashKeys('balance.hash', keys).reader({ trusts, ...prefixes })(one)
}

describe('the key of a hash', () => {
  it.each<[string, unknown, RequestHead, RequestHead]>([
    ['an address, whatever else there is', 'ip', request({ a: '1' }, '/a', '192.0.2.7'), from('192.0.2.7')],
    ['IPv4 in IPv6', 'ip', from('192.0.2.7'), from('::ffff:192.0.2.7')],
    ['a network of 64 bits [T-21]', 'ip', from('2001:db8::1'), from('2001:db8::ffff:1:2:3')],
    [
      'the client that a trusted proxy reports',
      'ip',
      from('10.0.0.1', { 'x-forwarded-for': '192.0.2.7' }),
      from('192.0.2.7'),
    ],
    [
      'whatever others say [T-22]',
      'ip',
      from('192.0.2.7', { 'x-forwarded-for': '192.0.2.9' }),
      from('192.0.2.7'),
    ],
    ['a path, with whatever query', 'path', request({}, '/a/b?x=1'), request({}, '/a/b?y?z')],
    ['the path of a whole URL', 'path', request({}, '/a'), request({}, 'http://shop.example/a?x')],
    ['a field', 'header:X-Room', request({ 'x-room': 'a' }), request({ 'x-room': 'a', b: '1' })],
    ['a parameter', 'query:room', request({}, '/a?room=x'), request({}, '/b?c&room=%78')],
    ['a cookie', 'cookie:sid', request({ cookie: 'sid=x' }), request({ cookie: 'a=b; sid="x"' })],
    [
      'the first of a list that is present',
      ['header:x-room', 'query:room', 'ip'],
      request({}, '/?room=x', '192.0.2.7'),
      request({ 'x-room': '' }, '/?room=x', '192.0.2.9'),
    ],
  ])('is the same: %s', (_, keys, one, other) => {
    expect(keyOf(keys, one)).toBeDefined()
    expect(keyOf(keys, other)).toBe(keyOf(keys, one))
  })

  it.each<[string, unknown, RequestHead, RequestHead]>([
    ['two addresses', 'ip', from('192.0.2.7'), from('192.0.2.8')],
    ['two networks', 'ip', from('2001:db8::1'), from('2001:db8:0:1::1')],
    ['two paths', 'path', request({}, '/a'), request({}, '/a/')],
    ['every line of a field', 'header:a', request({ a: ['x', 'y'] }), request({ a: ['x', 'z'] })],
    [
      'every value of a parameter [LB161]',
      'query:a',
      request({}, '/?a=aa11&a=bb22'),
      request({}, '/?a=aa11'),
    ],
    ['every value of a cookie', 'cookie:a', request({ cookie: 'a=x; a=y' }), request({ cookie: 'a=x' })],
  ])('is another: %s', (_, keys, one, other) => {
    expect(keyOf(keys, one)).toBeDefined()
    expect(keyOf(keys, other)).not.toBe(keyOf(keys, one))
  })

  it('is of as many bits as is said', () => {
    const wide = { ipv4Prefix: 24, ipv6Prefix: 56 }
    expect(keyOf('ip', from('192.0.2.7'), wide)).toBe(keyOf('ip', from('192.0.2.200'), wide))
    expect(keyOf('ip', from('192.0.3.7'), wide)).not.toBe(keyOf('ip', from('192.0.2.7'), wide))
    expect(keyOf('ip', from('2001:db8:0:1::'), wide)).toBe(keyOf('ip', from('2001:db8:0:ff::'), wide))
    expect(keyOf('ip', from('2001:db8:0:100::'), wide)).not.toBe(keyOf('ip', from('2001:db8::'), wide))
  })

  it.each<[unknown, RequestHead]>([
    ['ip', request()],
    ['ip', from('/run/socket')],
    ['header:a', request({ a: '' })],
    ['header:__proto__', request()],
    ['header:constructor', request()],
    ['query:a', request({}, '/?a=&b=1')],
    ['cookie:a', request({ cookie: 'A=1; a=' })],
    [['header:a', 'query:a', 'cookie:a'], request()],
  ])('is none: %j', (keys, one) => {
    expect(keyOf(keys, one)).toBeUndefined()
  })
})
