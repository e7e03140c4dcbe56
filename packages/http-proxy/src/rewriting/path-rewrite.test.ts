import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { parsePathRewrite, type PathRewrite } from './path-rewrite.ts'

const REQUEST = {} as IncomingMessage

function rewritten(rewrite: PathRewrite, url: string): unknown {
  return parsePathRewrite('pathRewrite', rewrite)?.(url, REQUEST)
}

describe('rules', () => {
  it.each([
    [{ '^/api': '' }, '/api/x', '/x'],
    [{ '^/api': '' }, '/api', '/'],
    [{ '^/api': '' }, '/api?a=1', '/?a=1'],
    [{ '^/api': '/' }, '/api/x', '/x'],
    [{ '^/api/.*': '/new' }, '/api/x?a=1&b=/api', '/new?a=1&b=/api'],
    [{ '^/v(\\d+)/': '/$1/' }, '/v2/x', '/2/x'],
    [{ '^/a': '/b', '^/b': '/c' }, '/a', '/b'],
    [{ '^/api': '' }, '/other//x', '/other//x'],
    [{ x: 'y' }, '//x', '/y'],
    [{}, '//x', '//x'],
    [{ '^/old': '/new?a=1' }, '/old?b=2', '/new?a=1'],
  ])('%j makes of %s: %s', (rules, before, after) => {
    expect(rewritten(rules, before)).toBe(after)
  })

  it.each([
    [null, 'pathRewrite got null; it takes an object of replacements'],
    ['/x', 'pathRewrite got "/x"; it takes an object'],
    [[], 'pathRewrite got a list of 0; it takes an object'],
    [{ '^/a': 1 }, 'pathRewrite.^/a got 1; it takes a text'],
    [{ '(': '' }, 'pathRewrite got "("; it takes regular expressions'],
  ])('%j are refused', (rules, message) => {
    expect(() => parsePathRewrite('pathRewrite', rules as PathRewrite)).toThrow(message)
  })
})

describe('a function', () => {
  it.each([
    ['/new', '/a?b=1', '/new?b=1'],
    ['/new?c=2', '/a?b=1', '/new?c=2'],
    ['/new?', '/a?b=1', '/new'],
    ['//new', '/a', '/new'],
    ['', '/a?b=1', '/?b=1'],
    [undefined, '/a?b=1', '/a?b=1'],
  ])('that returns %s makes of %s: %s', (result, before, after) => {
    expect(rewritten(() => result, before)).toBe(after)
  })

  it('gets the path with its query, and the request', () => {
    const seen: unknown[] = []
    rewritten((...args) => {
      seen.push(...args)
      return undefined
    }, '/a?b=1')
    expect(seen).toEqual(['/a?b=1', REQUEST])
  })
})
