import { expect, it } from 'vitest'
import { backendsOf, listenOf } from './endpoints.ts'

it.each([
  ['8080', '127.0.0.1:8080'],
  [':8080', '0.0.0.0:8080'],
  ['[::1]:80', '[::1]:80'],
  ['gateway.test:80', 'gateway.test:80'],
])('listens at %j as %s', (text, address) => {
  expect(listenOf('--from', text)).toBe(address)
})

it.each(['', 'localhost', ':', '::1:80', 'http://a:80', 'a:123456'])('does not listen at %j', text => {
  expect(() => listenOf('--from', text)).toThrow('--from takes an address and a port')
})

it('reads backends in their order, and empty places are none', () => {
  expect(backendsOf('--to', '3001, :3002,a:3003,,https://b/x,unix:/run/a')).toEqual([
    { id: 's1', url: 'http://127.0.0.1:3001' },
    { id: 's2', url: 'http://127.0.0.1:3002' },
    { id: 's3', url: 'http://a:3003' },
    { id: 's4', url: 'https://b/x' },
    { id: 's5', url: 'unix:/run/a' },
  ])
})

it.each(['', ',', 'a', 'ftp://a', 'http://eva:hush@a', 'a:1,b'])('takes no backends of %j', text => {
  const read = (): unknown => backendsOf('--to', text)
  expect(read).toThrow(/^--to takes backends/)
  expect(read).not.toThrow('hush')
})
