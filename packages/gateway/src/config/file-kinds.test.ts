import { optionTable } from '@limpet/core/options'
import { expect, it } from 'vitest'
import { address, bytesOf, size } from './file-kinds.ts'

const TABLE = optionTable({ listen: address('127.0.0.1:8080'), limit: size({ min: 1_024, max: 1024 ** 2 }) })

it.each([
  [undefined, { host: '127.0.0.1', port: 8080 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['[::1]:443', { host: '::1', port: 443 }],
  ['gateway.test:0', { host: 'gateway.test', port: 0 }],
])('the address %j is %j', (listen, expected) => {
  expect(TABLE.parse('', { listen }).listen).toEqual(expected)
})

it.each(['80', ':80', 'a', '::1:80', 'a b:80', 8080, 'a:65536'])('takes no address %j', listen => {
  expect(() => TABLE.parse('', { listen })).toThrow('option listen')
})

it.each([
  [undefined, undefined],
  [2_048, 2_048],
  ['2048B', 2_048],
  ['16KiB', 16_384],
  ['1MiB', 1024 ** 2],
])('the size %j is %s bytes', (limit, bytes) => {
  expect(TABLE.parse('', { limit }).limit).toBe(bytes)
})

it.each([1_023, '2MiB', '1GiB', '16KB', '16 KiB', '1.5MiB', 2_048.5, '', true])('takes no size %j', limit => {
  expect(() => TABLE.parse('', { limit })).toThrow('option limit')
})

it('has no bytes for another value', () => {
  expect([bytesOf('1GiB'), bytesOf('x'), bytesOf(undefined)]).toEqual([1024 ** 3, Number.NaN, Number.NaN])
})
