import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../config/config.ts'
import { allowsBackend, isBackendRule } from './allowed-backends.ts'

function allows(
  url: string,
  allowBackends: readonly string[] | undefined,
  backends: readonly string[] = [],
): boolean {
  const config = {
    admin: { allowBackends },
    pools: [{ options: { backends: backends.map((of, index) => ({ id: `b${index}`, url: of })) } }],
  }
  return allowsBackend(config as unknown as GatewayConfig, new URL(url))
}

describe('without a list', () => {
  const FILE = [
    'http://10.1.2.3:80',
    'http://[2001:db8::1]:80',
    'http://shop.internal:80',
    'unix:/run/shop.sock',
  ]

  it.each(['http://10.1.2.99:81', 'https://[2001:db8::ff]:443', 'http://SHOP.internal:81'])(
    '%s may be added: a backend of the file is there',
    url => expect(allows(url, undefined, FILE)).toBe(true),
  )

  it.each([
    'http://10.1.3.3:80',
    'http://[2001:db8:0:1::1]:80',
    'http://api.internal:80',
    'http://x.shop.internal:80',
    'http://127.0.0.1:80',
    'http://localhost:80',
    'http://169.254.169.254:80',
    'http://2852039166:80',
    'http://[fe80::1]:80',
    'http://[::ffff:169.254.169.254]:80',
    'http://metadata.google.internal:80',
    'http://0.0.0.0:80',
    'unix:/run/shop.sock',
    'unix:/var/run/docker.sock',
  ])('%s may not', url => expect(allows(url, undefined, FILE)).toBe(false))

  it('all of loopback goes with one backend on it', () => {
    for (const url of ['http://127.0.0.9:1', 'http://localhost:1', 'http://[::1]:1'])
      expect([
        allows(url, undefined, ['http://localhost:2']),
        allows(url, undefined, ['http://[::1]:2']),
      ]).toEqual([true, true])
  })

  it('link-local addresses are not neighbours of one in the file', () => {
    expect(allows('http://169.254.1.2:80', undefined, ['http://169.254.1.1:80'])).toBe(false)
  })

  it('nothing may be added where the file has no backends', () => {
    expect(allows('http://127.0.0.1:80', undefined)).toBe(false)
  })
})

describe('a list', () => {
  it.each<[string, string]>([
    ['http://10.9.9.9:80', '10.0.0.0/8'],
    ['http://10.9.9.9:80', '10.9.9.9'],
    ['http://[2001:db8::1]:80', '2001:db8::/32'],
    ['http://Web1.internal:80', 'web1.INTERNAL'],
    ['http://web1.internal:80', '*.internal'],
    ['http://169.254.1.1:80', '169.254.1.0/24'],
    ['http://[fe80::1]:80', 'fe80::/10'],
    ['unix:/run/shop/a.sock', 'unix:/run/shop/a.sock'],
    ['unix:/run/shop/a.sock', 'unix:/run/shop/'],
  ])('allows %s by %s', (url, rule) => {
    expect(isBackendRule(rule)).toBe(true)
    expect(allows(url, [rule])).toBe(true)
  })

  it.each<[string, string]>([
    ['http://11.0.0.1:80', '10.0.0.0/8'],
    ['http://internal:80', '*.internal'],
    ['http://evilinternal:80', '*.internal'],
    ['http://169.254.169.254:80', '0.0.0.0/0'],
    ['http://169.254.169.254:80', '169.0.0.0/8'],
    ['http://[fe80::1]:80', '::/0'],
    ['http://[::ffff:a9fe:a9fe]:80', '::/0'],
    ['unix:/run/shop/../docker.sock', 'unix:/run/shop/'],
    ['unix:/run/shop/x%2f..%2f..%2fdocker.sock', 'unix:/run/shop/'],
    ['unix:/run/shop/%zz', 'unix:/run/shop/'],
    ['unix:/run/shop.sock2', 'unix:/run/shop.sock'],
  ])('does not allow %s by %s', (url, rule) => {
    expect(isBackendRule(rule)).toBe(true)
    expect(allows(url, [rule])).toBe(false)
  })

  it('replaces the places that the file allows', () => {
    expect(allows('http://10.1.2.3:81', ['10.9.0.0/16'], ['http://10.1.2.3:80'])).toBe(false)
    expect(allows('http://10.1.2.3:81', [], ['http://10.1.2.3:80'])).toBe(false)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0',
    '::/129',
    'http://a',
    'a:80',
    'unix:',
    'unix:a',
    '*',
    'a b',
    '-a',
  ])('does not take %s', rule => expect(isBackendRule(rule)).toBe(false))
})
