import { optionTable } from '@limpet/core/options'
import type { HeaderFields } from '@limpet/core'
import { expect, it } from 'vitest'
import { cookieRewrite } from './cookie-rewrite.ts'

const TABLE = optionTable({ domain: cookieRewrite('domain'), path: cookieRewrite('path') })

function rewritten(options: object, cookies: string | string[] | undefined): unknown {
  const { domain, path } = TABLE.parse('', options)
  const fields: HeaderFields = { 'set-cookie': cookies }
  domain?.(fields)
  path?.(fields)
  return fields['set-cookie']
}

it.each([
  [{ domain: 'shop.test' }, 'a=1; Domain=w1.internal; Path=/', 'a=1; Domain=shop.test; Path=/'],
  [{ domain: '' }, 'a=1; domain=w1.internal; Path=/', 'a=1; Path=/'],
  [{ domain: false }, 'a=1; Domain=w1', 'a=1; Domain=w1'],
  [{ domain: 'x' }, 'domain=1; Path=/', 'domain=1; Path=/'],
  [
    { domain: { w1: 'one', '*': 'other' } },
    ['a=1; Domain= w1', 'b=1; Domain=w2'],
    ['a=1; Domain=one', 'b=1; Domain=other'],
  ],
  [{ domain: { w1: 'one' } }, 'a=1; Domain=w2', 'a=1; Domain=w2'],
  [{ path: { '/app': '/' } }, 'a=1; Path=/app; Secure', 'a=1; Path=/; Secure'],
  [{ path: '/x' }, undefined, undefined],
])('with %j makes of %j the cookies %j', (options, cookies, expected) => {
  expect(rewritten(options, cookies)).toEqual(expected)
})

it.each([7, 'a;b', 'a\n', { w1: 'a;b' }, { w1: 7 }, true])('refuses %j', domain => {
  expect(() => TABLE.parse('', { domain })).toThrow('option domain')
})
