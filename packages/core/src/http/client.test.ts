import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientOf, compileTrustProxy, plainAddress } from './client.ts'
import type { HeaderFields, RequestHead } from '../head.ts'
import { OptionError } from '../options/option.ts'

function request(
  remoteAddress: string | undefined,
  headers: HeaderFields = {},
  encrypted = false,
): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: [],
    headers,
    remoteAddress,
    localPort: 80,
    encrypted,
    hasBody: false,
  }
}

const PROXIES = compileTrustProxy('trustProxy', ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'])

function addressBehind(forwardedFor: string | string[], peer = '10.0.0.1'): string | undefined {
  return clientOf(request(peer, { 'x-forwarded-for': forwardedFor }), PROXIES).address
}

describe('trustProxy', () => {
  it.each([
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8::1', true],
    ['2001:db9::1', false],
    ['::ffff:10.0.0.1', true],
    ['::ffff:11.0.0.1', false],
    ['unix', false],
    ['', false],
    [undefined, false],
  ])('of three ranges trusts %s: %s', (address, expected) => {
    expect(PROXIES(address)).toBe(expected)
  })

  it.each([[undefined], [[]]])('of %j trusts no address [T-22]', value => {
    const trusts = compileTrustProxy('trustProxy', value)
    expect(['127.0.0.1', '::1', '10.0.0.1', undefined].map(trusts)).toEqual([false, false, false, false])
  })

  it('may trust every address', () => {
    const trusts = compileTrustProxy('trustProxy', ['0.0.0.0/0', '::/0'])
    expect(['203.0.113.9', '2001:db8::1'].map(trusts)).toEqual([true, true])
  })

  it.each([
    [['loopback'], 'trustProxy[0]'],
    [['10.0.0.1', '10.0.0.0/33'], 'trustProxy[1]'],
    [['::/129'], 'trustProxy[0]'],
    [['10.0.0.0/'], 'trustProxy[0]'],
    [['10.0.0.0/8/8'], 'trustProxy[0]'],
    [['10.0.0.0/-1'], 'trustProxy[0]'],
    [['10.0.0.0/8 '], 'trustProxy[0]'],
    [['10.0.0'], 'trustProxy[0]'],
    [[''], 'trustProxy[0]'],
    [[true], 'trustProxy[0]'],
    [true, 'trustProxy'],
    [1, 'trustProxy'],
    ['10.0.0.1', 'trustProxy'],
  ])('is not %j', (value, option) => {
    let error: unknown
    try {
      compileTrustProxy('trustProxy', value)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ option })
    expect(String(error)).toContain('CIDR')
  })
})

describe('the client', () => {
  const LIES = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' }

  it('is the other end of the socket, whatever it says of itself [T-22]', () => {
    const facts = { address: '198.51.100.1', isSecure: false, isProxied: false }
    expect(clientOf(request('198.51.100.1', LIES), PROXIES)).toEqual(facts)
    expect(clientOf(request('198.51.100.1', LIES), () => false)).toEqual(facts)
  })

  it('is unknown where the socket has no remote address', () => {
    expect(clientOf(request(undefined, LIES, true), PROXIES)).toEqual({
      address: undefined,
      isSecure: true,
      isProxied: false,
    })
  })

  it('is the client that a trusted proxy reports', () => {
    expect(clientOf(request('10.0.0.1', LIES), PROXIES)).toEqual({
      address: '203.0.113.9',
      isSecure: true,
      isProxied: true,
    })
  })

  it('is known through a dual-stack socket too', () => {
    expect(clientOf(request('::ffff:10.0.0.1', LIES), PROXIES).address).toBe('203.0.113.9')
    expect(clientOf(request('::ffff:198.51.100.1', LIES), PROXIES).address).toBe('198.51.100.1')
  })

  it.each<[string, string | string[], string]>([
    ['the right-most that is not trusted [T-22]', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['the one before the trusted ones', '1.1.1.1, 203.0.113.9, 10.9.9.9, 192.0.2.7', '203.0.113.9'],
    ['the left-most when all are trusted', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the same in several lines', ['1.1.1.1', '203.0.113.9,10.0.0.2'], '203.0.113.9'],
    ['one of version 6', '2001:db9::5', '2001:db9::5'],
    ['one with a port', '203.0.113.9:1234', '203.0.113.9'],
    ['one of version 6 with a port', '[2001:db9::5]:1234', '2001:db9::5'],
    ['one in brackets', '[2001:db9::5]', '2001:db9::5'],
    ['an IPv4 address mapped into IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['no entry beyond an invalid address', '203.0.113.9, unknown', '10.0.0.1'],
    ['no entry beyond an empty one', '203.0.113.9,', '10.0.0.1'],
    ['no entry beyond a word behind a trusted proxy', '203.0.113.9, <script>, 10.0.0.2', '10.0.0.2'],
    ['the peer when it is empty', '', '10.0.0.1'],
  ])('of X-Forwarded-For is %s', (_, forwardedFor, expected) => {
    expect(addressBehind(forwardedFor)).toBe(expected)
  })

  it.each<[string | string[] | undefined, boolean, boolean]>([
    ['https', false, true],
    ['HTTPS', false, true],
    ['http', true, false],
    ['https, http', true, false],
    ['http, https', false, true],
    [['http', 'https'], false, true],
    ['wss', true, true],
    ['', false, false],
    [undefined, true, true],
    [undefined, false, false],
  ])('behind a proxy that says %j on a socket of TLS %s came by TLS: %s', (proto, encrypted, expected) => {
    const headers = proto === undefined ? {} : { 'x-forwarded-proto': proto }
    expect(clientOf(request('10.0.0.1', headers, encrypted), PROXIES).isSecure).toBe(expected)
  })

  it('is never an address that only an untrusted party vouches for [T-22]', () => {
    const element = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map(ip => ip.replace(/^\d+/, '10')),
      fc.constantFrom('', 'unknown', '_hidden', '203.0.113.9:80', '[::1]:80', 'fe80::1%eth0'),
    )
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), list => {
        const address = addressBehind(list.join(', '))
        const heard = list.findLastIndex(one => !PROXIES(one))
        const believed = [...list.slice(Math.max(heard, 0)), '10.0.0.1']
        const bare = believed.map(one =>
          plainAddress(one.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([\d.]+):\d+$/, '$1')),
        )
        expect(bare).toContain(address)
      }),
    )
  })

  it.each([
    ['commas', ','],
    ['brackets', '['],
    ['digits', '1'],
    ['dots', '1.'],
    ['trusted proxies', '10.0.0.1,'],
    ['colons', '1:'],
    ['blanks', ' '],
  ])('behind 64 KB of %s is found in linear time [T-14]', (_, unit) => {
    const line = unit.repeat(65_536 / unit.length)
    const before = performance.now()
    addressBehind(line)
    clientOf(request('10.0.0.1', { 'x-forwarded-proto': line }), PROXIES)
    expect(performance.now() - before).toBeLessThan(250)
  })
})

describe('an address of version 4 in the clothes of version 6', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:0102:0304', '::ffff:0102:0304'],
    ['::ffff:', '::ffff:'],
    ['::1', '::1'],
    ['192.0.2.1', '192.0.2.1'],
    [undefined, undefined],
  ])('%s is %s', (address, expected) => {
    expect(plainAddress(address)).toBe(expected)
  })
})
