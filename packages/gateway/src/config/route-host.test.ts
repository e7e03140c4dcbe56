import { expect, it } from 'vitest'
import { routeHost } from './route-host.ts'

it.each([
  ['Shop.Example', 'shop.example'],
  ['*.shop.example', '*.shop.example'],
  ['localhost', 'localhost'],
  ['10.0.0.1', '10.0.0.1'],
  ['[FD00::1]', '[fd00::1]'],
  ['xn--caf-dma.example', 'xn--caf-dma.example'],
  ['caf\u00e9.example', undefined],
  ['shop.example:80', undefined],
  ['http://shop.example', undefined],
  ['shop.example.', undefined],
  ['*', undefined],
  ['shop.*', undefined],
  ['-a.example', undefined],
  [`${'x'.repeat(64)}.example`, undefined],
  [`${'abcdefg.'.repeat(32)}example`, undefined],
  ['', undefined],
])('the host %j is %s', (text, host) => {
  expect(routeHost(text)).toBe(host)
})
