import { describe, expect, it } from 'vitest'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'

describe('the fields of one connection', () => {
  it('are those that end at this gateway [T-34]', () => {
    expect([...HOP_BY_HOP].toSorted()).toEqual([
      'connection',
      'http2-settings',
      'keep-alive',
      'proxy',
      'proxy-authenticate',
      'proxy-authorization',
      'proxy-connection',
      'te',
      'trailer',
      'transfer-encoding',
      'upgrade',
    ])
  })

  it.each<[string | string[] | undefined, string[]]>([
    [undefined, []],
    ['keep-alive', []],
    ['close', []],
    ['', []],
    [' , ,', []],
    ['X-Foo', ['x-foo']],
    ['close, X-Foo ,\tX-BAR', ['close', 'x-bar', 'x-foo']],
    [
      ['close', 'X-Foo'],
      ['close', 'x-foo'],
    ],
    ['upgrade, http2-settings', ['http2-settings', 'upgrade']],
    ['__proto__', ['__proto__']],
  ])('are also those that %j names: %j', (connection, expected) => {
    expect([...nominatedFields(connection)].toSorted()).toEqual(expected)
  })

  it.each([
    'Authorization',
    'Cache-Control',
    'Content-Length',
    'Cookie',
    'Forwarded',
    'Host',
    'Set-Cookie',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'x-forwarded-anything',
  ])('never include %s, in any spelling [T-34]', name => {
    expect([...nominatedFields(`${name}, x-foo`)]).toEqual(['x-foo'])
  })

  it.each([
    ['commas', ','],
    ['names', 'x,'],
    ['one name', 'x'],
    ['blanks', ' '],
    ['blanks and commas', ' ,'],
  ])('are found in 64 KB of %s in linear time [T-14]', (_, unit) => {
    const before = performance.now()
    nominatedFields(unit.repeat(65_536 / unit.length))
    expect(performance.now() - before).toBeLessThan(250)
  })
})
