import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Route, router } from './routes.ts'

function route(pool: string, path = '/', host?: string): Route {
  return { host, path, pool }
}

describe('a route', () => {
  const find = router([
    route('api', '/api/'),
    route('shop', '/', 'shop.example.com'),
    route('admin', '/admin', 'shop.example.com'),
    route('deep', '/api/v2'),
    route('rest'),
  ])

  it.each([
    ['a', '/', 'rest'],
    ['a', '/api/', 'api'],
    ['a', '/api/x?y=/z', 'api'],
    ['a', '/api', 'rest'],
    ['a', '/apis/', 'rest'],
    ['a', '/api/v2', 'deep'],
    ['a', '/api/v2?x', 'deep'],
    ['a', '/api/v2/', 'deep'],
    ['a', '/api/v22', 'api'],
    ['shop.example.com', '/api/', 'shop'],
    ['SHOP.example.com:8080', '/', 'shop'],
    ['shop.example.com.', '/', 'shop'],
    ['shop.example.com', '/admin', 'admin'],
    ['shop.example.com', '/admin/x', 'admin'],
    ['shop.example.com', '/administrator', 'shop'],
    ['xshop.example.com', '/', 'rest'],
    [undefined, '/api/', 'api'],
    ['a', 'http://b/api/x', 'api'],
    ['a', 'http://b', 'rest'],
    ['a', '*', undefined],
  ])('of %s and %s is that of %s', (host, url, pool) => {
    expect(find(host, url)).toBe(pool)
  })

  it('is nobody’s where none matches', () => {
    expect(router([route('a', '/a')])('h', '/b')).toBeUndefined()
    expect(router([route('a', '/', 'h')])('i', '/')).toBeUndefined()
  })

  it('does not depend on the order of the file', () => {
    const routes = fc.uniqueArray(
      fc.record({
        host: fc.constantFrom(undefined, 'h', 'i'),
        path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/b'),
      }),
      { selector: ({ host, path }) => `${host} ${path}`, minLength: 1 },
    )
    const asked = fc.tuple(
      fc.constantFrom('h', 'i', 'j'),
      fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/b?a', '/c'),
    )
    fc.assert(
      fc.property(routes, asked, (all, [host, url]) => {
        const named = all.map(({ host: of, path }) => route(`${of} ${path}`, path, of))
        expect(router(named.toReversed())(host, url)).toBe(router(named)(host, url))
      }),
    )
  })
})
