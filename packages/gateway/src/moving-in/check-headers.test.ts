import { expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { addCheckHeader } from './check-headers.ts'

it.each([
  ['X-A', '1', true, { 'X-A': '1' }],
  ['Host', 'shop.test:80', true, { Host: 'shop.test:80' }],
  ['X-Forwarded-Proto', 'https', true, { 'X-Forwarded-Proto': 'https' }],
  ['Connection', 'close', true, undefined],
  ['Host', 'a b', false, undefined],
  ['Authorization', 'hush', false, undefined],
  ['X-A', '$x', false, undefined],
  ['X-A', 'a\n', false, undefined],
  ['a b', '1', false, undefined],
])('of %s: %j is taken: %s', (name, value, taken, headers) => {
  const health: NonNullable<PoolFile['health']> = {}
  expect(addCheckHeader(health, name, value, text => text.includes('$'))).toBe(taken)
  expect(health.headers).toEqual(headers)
})
