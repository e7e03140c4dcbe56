import { describe, expect, it } from 'vitest'
import { cookiesCollide, cookiesCollideAcrossHosts, isInCookiePath } from './cookie-path.ts'

describe('a request is under a cookie path as browsers see it', () => {
  it.each([
    ['/', ['/', '/foo', '/foo/bar', '/foo?bar', '/foo#bar', '/foobar'], [], '[LB118]'],
    [
      '/foo',
      ['/foo', '/foo/', '/foo/bar', '/foo?bar', '/foo#bar'],
      ['/', '/bar', '/foobar', '/Foo'],
      '[LB119]',
    ],
    ['/foo/', ['/foo/', '/foo/bar', '/foo/?a'], ['/', '/foo', '/foo?bar', '/foo#bar', '/foobar'], '[LB120]'],
  ])('%s: %j, and not %j %s', (path, inside, outside) => {
    expect(inside.filter(target => !isInCookiePath(target, path))).toEqual([])
    expect(outside.filter(target => isInCookiePath(target, path))).toEqual([])
  })
})

describe('cookies of one name', () => {
  it.each([
    ['/', '/', true],
    ['/', '/foo', true],
    ['/foo', '/foo/bar', true],
    ['/foo/', '/foo', true],
    ['/foo', '/foobar', false],
    ['/foo/', '/foobar', false],
    ['/a', '/b', false],
  ])('under %s and %s: collide %s', (a, b, expected) => {
    expect(cookiesCollide({ name: 'SRV', path: a }, { name: 'SRV', path: b })).toBe(expected)
    expect(cookiesCollide({ name: 'SRV', path: b }, { name: 'SRV', path: a })).toBe(expected)
  })
})

it.each(['OTHER', 'srv'])('cookies of the names SRV and %s never collide', name => {
  expect(cookiesCollide({ name: 'SRV', path: '/' }, { name, path: '/' })).toBe(false)
})

it.each<[string | undefined, string | undefined, boolean]>([
  ['example.com', 'example.com', true],
  ['example.com', '.Example.COM', true],
  ['example.com', 'eu.example.com', true],
  ['.example.com', '.eu.example.com', true],
  ['a.example.com', 'b.example.com', false],
  ['example.com', 'badexample.com', false],
  ['example.com', undefined, false],
  [undefined, undefined, false],
])('cookies of the domains %s and %s collide on all hosts: %s [LB213]', (a, b, expected) => {
  const one = { name: 'SRV', path: '/', domain: a }
  const other = { name: 'SRV', path: '/', domain: b }
  expect(cookiesCollideAcrossHosts(one, other)).toBe(expected)
  expect(cookiesCollideAcrossHosts(other, one)).toBe(expected)
  expect(cookiesCollideAcrossHosts(one, { ...other, name: 'B' })).toBe(false)
  expect(cookiesCollideAcrossHosts({ ...one, path: '/a' }, { ...other, path: '/b' })).toBe(false)
})
