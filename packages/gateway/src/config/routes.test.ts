import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AMBIGUOUS, type Route, router } from './routes.ts'

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
    ['a', 'http://b?/api/', 'rest'],
    ['a', 'http://b/api/?x', 'api'],
    ['a', '/%61pi/', 'api'],
    ['a', '/api;v=1/x', 'api'],
    ['shop.example.com', '/admin;jsessionid=1', 'admin'],
    ['shop.example.com', '/%61%64min', 'admin'],
    ['a', '/api/%zz%', 'api'],
    ['a', '/api/.x/..y/z..', 'api'],
    ['a', '/a?b=//..%2f', 'rest'],
  ])('of %s and %s is that of %s', (host, url, pool) => {
    expect(find(host, url)).toBe(pool)
  })

  it('is undefined where none matches', () => {
    expect(router([route('a', '/a')])('h', '/b')).toBeUndefined()
    expect(router([route('a', '/', 'h')])('i', '/')).toBeUndefined()
  })

  it.each([
    '/public/../api/x',
    '/public/..',
    '/./api/',
    '/.',
    '/a/%2e%2e/api/',
    '/a/%2E./api/',
    '/a/.%2e',
    '//api/',
    '/a//b',
    '/;/api/',
    '/;x=1/api/',
    '/a/..;/api/',
    '/a/..;x=1',
    '/a/%2e%2e%3bx/api/',
    '/a\\b',
    '/a%5c..%5capi',
    '/a%2fapi',
    '/a%2F..%2fapi',
    '/a/..%00/api/',
    'http://b/a/../api/',
  ])('is refused where a backend may read another path than the gateway: %s', url => {
    expect(find('a', url)).toBe(AMBIGUOUS)
    expect(find('shop.example.com', url)).toBe(AMBIGUOUS)
    expect(router([route('all')])('a', url), 'where no route has a path').toBe('all')
  })

  it.each(['/%C3%A9/x', '/%c3%A9/x', '/\u00C3\u00A9/x', '/%c3\u00A9/x'])(
    'compares the bytes above ASCII, however they are written: %s',
    url => {
      expect(router([route('rest'), route('accent', '/%C3%A9/')])('a', url)).toBe('accent')
    },
  )

  it.each([
    ['a.test.com', '/', 'below'],
    ['A.B.test.com:443', '/', 'below'],
    ['a.b.test.com.', '/', 'below'],
    ['x.deep.test.com', '/', 'deep'],
    ['x.deep.test.com', '/p/', 'deep'],
    ['own.test.com', '/x', 'own'],
    ['own.test.com', '/', 'below'],
    ['own.test.com', '/p/', 'below-p'],
    ['test.com', '/', 'rest'],
    ['.test.com', '/', 'rest'],
    ['atest.com', '/', 'rest'],
    ['*.test.com', '/', 'below'],
    ['a.test.com.example', '/', 'rest'],
  ])('of all names below one takes %s with %s: %s [LB190]', (host, url, pool) => {
    const below = router([
      route('rest'),
      route('below', '/', '*.test.com'),
      route('below-p', '/p', '*.test.com'),
      route('deep', '/x', '*.deep.test.com'),
      route('deep', '/', '*.deep.test.com'),
      route('own', '/x', 'own.test.com'),
    ])
    expect(below(host, url)).toBe(pool)
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
