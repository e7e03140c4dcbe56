import { describe, expect, it } from 'vitest'
import { cookiesCollide, isInCookiePath } from './cookie-path.ts'

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
