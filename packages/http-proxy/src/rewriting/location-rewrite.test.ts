import type { HeaderFields } from '@limpet/core'
import { optionTable } from '@limpet/core/options'
import { expect, it } from 'vitest'
import { HOST, locationRewrite } from './location-rewrite.ts'

type Options = Partial<Parameters<typeof locationRewrite>[0]>

function rewritten(
  options: Options,
  location: string,
  statusCode = 302,
  backend = 'http://w1.internal:8080/',
): unknown {
  const rewrite = locationRewrite({
    hostRewrite: undefined,
    autoRewrite: false,
    protocolRewrite: undefined,
    ...options,
  })
  const fields: HeaderFields = { location }
  rewrite?.(fields, statusCode, new URL(backend), 'Shop.test')
  return fields['location']
}

const AUTO = { autoRewrite: true }

it.each<[Options, string, string]>([
  [AUTO, 'http://w1.internal:8080/a?b#c', 'http://shop.test/a?b#c'],
  [AUTO, 'http://shop.test/a', 'http://shop.test/a'],
  [AUTO, '//w1.internal:8080/a', '//shop.test/a'],
  [AUTO, '/a', '/a'],
  [AUTO, 'http://w1.internal:9090/a', 'http://w1.internal:9090/a'],
  [AUTO, 'https://elsewhere.test/a', 'https://elsewhere.test/a'],
  [AUTO, 'http://w1.internal:8080/a'.replace('http:', 'HTTP:'), 'http://shop.test/a'],
  [AUTO, 'http://[', 'http://['],
  [{ hostRewrite: 'x.test:81', autoRewrite: true }, 'http://w1.internal:8080/a', 'http://x.test:81/a'],
  [{ protocolRewrite: 'https' }, 'http://shop.test/a', 'https://shop.test/a'],
  [{ protocolRewrite: 'https' }, '//shop.test/a', 'https://shop.test/a'],
  [{}, 'http://w1.internal:8080/a', 'http://w1.internal:8080/a'],
])('with %j makes of %s the location %s', (options, location, expected) => {
  expect(rewritten(options, location)).toBe(expected)
})

it('leaves a location alone that is no redirect', () => {
  const location = 'http://w1.internal:8080/a'
  expect([200, 300, 304].map(status => rewritten(AUTO, location, status))).toEqual([
    location,
    location,
    location,
  ])
  expect(rewritten(AUTO, location, 201)).toBe('http://shop.test/a')
})

it('knows a backend at a socket by the name that it gets', () => {
  expect(rewritten(AUTO, 'http://localhost/a', 302, 'unix:/run/app.sock')).toBe('http://shop.test/a')
})

it.each(['a/b', 'a b', 'eva@a', '', 'a:99999', 7])('takes no host %j', host => {
  expect(() => optionTable({ host: HOST }).parse('', { host })).toThrow('option host')
})
