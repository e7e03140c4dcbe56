import { expect, it } from 'vitest'
import { type Endpoint, parseUrl } from './endpoint.ts'

const NONE = { username: undefined, password: undefined, database: 0 }

it.each<[string, Endpoint]>([
  ['redis://a', { at: { host: 'a', port: 6379 }, isTls: false, ...NONE }],
  ['rediss://a:7/2', { at: { host: 'a', port: 7 }, isTls: true, ...NONE, database: 2 }],
  ['redis://[fd00::1]:7/', { at: { host: 'fd00::1', port: 7 }, isTls: false, ...NONE }],
  ['unix:/run/redis.sock', { at: '/run/redis.sock', isTls: false, ...NONE }],
  [
    'redis://ev%40:p%2Fw%25@a',
    { at: { host: 'a', port: 6379 }, isTls: false, ...NONE, username: 'ev@', password: 'p/w%' },
  ],
])('reads the url %s', (url, endpoint) => {
  expect(parseUrl('url', url, 6379)).toEqual(endpoint)
})

it.each([
  [7, 'it takes redis://'],
  ['localhost:6379', 'it takes redis://'],
  ['http://a', 'it takes redis://'],
  ['redis://', 'it takes redis://'],
  ['redis://:hush@a?db=1', 'it takes redis://'],
  ['redis://:hush@a#1', 'it takes redis://'],
  ['redis://:hush@a/web', 'it takes the number of a database as its path'],
  ['redis://:hush%@a', 'special characters are percent-encoded'],
])('refuses the url %j, without a word of it', (url, takes) => {
  const refused = (): unknown => parseUrl('store.url', url, 6379)
  expect(refused).toThrow(takes)
  expect(refused).toThrow(/^option store\.url is no url; it takes (?!.*hush)/)
})
