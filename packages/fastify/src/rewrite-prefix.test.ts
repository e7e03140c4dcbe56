import { optionTable } from '@limpet/core/options'
import { expect, it } from 'vitest'
import { prefixRewriter, REWRITE_PREFIX } from './rewrite-prefix.ts'

const TABLE = optionTable({ rewritePrefix: REWRITE_PREFIX })

it.each([
  ['/api', '', '/api/x?y=/api', '/x?y=/api'],
  ['/api', '', '/api', '/'],
  ['/api', '', '/api?x', '/?x'],
  ['/api', '/v1', '/api/x', '/v1/x'],
  ['/api', '/v1', '/api', '/v1'],
  ['/:tenant/api', '/v1', '/shop/api/x', '/v1/x'],
  ['/', '/v1', '/x', '/v1/x'],
  ['/api', '', '/api/a/../b', '/a/../b'],
  ['/api', '', '/api/%2e/b', '/%2e/b'],
])('under %s, with %j, makes of %s the target %s', (prefix, rewritten, url, target) => {
  expect(prefixRewriter(prefix, rewritten)(url)).toBe(target)
})

it.each(['/api//evil.test', '/api/..', '/api/a/../../b', '/api/%2E%2e/b', '/api/.%2e'])(
  'refuses %s, which leaves the prefix',
  url => {
    expect(() => prefixRewriter('/api', '')(url)).toThrow(
      expect.objectContaining({ code: 'ERR_REFUSED_REQUEST', statusCode: 400 }),
    )
  },
)

it.each([
  [undefined, undefined],
  ['/', ''],
  ['', ''],
  ['/v1/x', '/v1/x'],
])('takes %j as %j', (rewritePrefix, path) => {
  expect(TABLE.parse('', { rewritePrefix }).rewritePrefix).toBe(path)
})

it.each(['v1', '/v1/', '/a//b', '/a?b', '/a#b', '/a\\b', '/a b', '/caf\u00e9', '/a/../b', '/a/%2e', 7])(
  'takes no %j',
  rewritePrefix => {
    expect(() => TABLE.parse('', { rewritePrefix })).toThrow('option rewritePrefix')
  },
)
