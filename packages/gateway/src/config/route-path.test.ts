import { expect, it } from 'vitest'
import { routePath } from './route-path.ts'

it.each([
  ['/', '/'],
  ['/a/b?c=/../d', '/a/b'],
  ['/a#b', '/a'],
  ['http://h', '/'],
  ['HTTPS://h/a?b', '/a'],
  ['*', '*'],
  ['/%61%62', '/ab'],
  ['/%c3%a9', '/%C3%A9'],
  ['/\u00c3\u00a9', '/%C3%A9'],
  ['/a;v=1/b;w', '/a/b'],
  ['/a/', '/a/'],
  ['/a/;x', '/a/'],
  ['/...', '/...'],
  ['/%zz', '/%zz'],
])('the path of %s is %s', (url, path) => {
  expect(routePath(url)).toBe(path)
})

it.each([
  '/a/../b',
  '/a/%2e%2e',
  '/./a',
  '//a',
  '/a//b',
  '/;/b',
  '/a\\b',
  '/a%5cb',
  '/a%2fb',
  '/a%00',
  '/..;x/b',
])('has no path for %s, which servers read in different ways', url => {
  expect(routePath(url)).toBeUndefined()
})
