import { describe, expect, it } from 'vitest'
import { effectiveLines } from './effective-lines.ts'
import { parseOption } from '../options/option-kind.ts'
import { HEADER_EDITS } from './header-edits.ts'

describe('the edits of an operator', () => {
  const edits = parseOption(HEADER_EDITS, 'requestHeaders', {
    set: { 'X-Gateway-Auth': 'yes', Host: 'set.test' },
    remove: ['X-Debug', 'accept'],
  })

  it('are made last, and hold where a client has said the same', () => {
    const lines = ['Host', 'a', 'x-gateway-auth', 'yes', 'X-Debug', '1', 'X-A', '1']
    const effective = effectiveLines(
      lines,
      { host: 'a', 'x-gateway-auth': 'yes', 'x-debug': '1', 'x-a': '1', accept: 'b' },
      edits,
    )
    expect(effective?.rawHeaders).toEqual(['X-A', '1', 'X-Gateway-Auth', 'yes', 'Host', 'set.test'])
    expect(effective?.names.has('x-gateway-auth')).toBe(true)
    expect(effective?.headers).toEqual({ 'x-a': '1', 'x-gateway-auth': 'yes', host: 'set.test' })
  })

  it('replace the authority of HTTP/2', () => {
    const lines = [':method', 'GET', ':authority', 'h2.test']
    const effective = effectiveLines(lines, { ':method': 'GET', ':authority': 'h2.test' }, edits)
    expect(effective?.rawHeaders).toEqual([
      ':method',
      'GET',
      ':authority',
      'set.test',
      'X-Gateway-Auth',
      'yes',
    ])
  })

  it('are nothing where there are none', () => {
    expect(parseOption(HEADER_EDITS, 'o', undefined)).toBeUndefined()
    expect(parseOption(HEADER_EDITS, 'o', { set: {}, remove: [] })).toBeUndefined()
  })

  it.each<[unknown, string]>([
    [{ set: { 'A B': 'c' } }, 'o.set.(a key of 3 characters)'],
    [{ set: { Connection: 'close' } }, 'o.set.Connection'],
    [{ set: { 'Content-Length': '0' } }, 'o.set.Content-Length'],
    [{ set: { 'X-A': 'b\r\nc' } }, 'o.set.X-A'],
    [{ set: { 'X-A': 7 } }, 'o.set.X-A'],
    [{ set: { Host: 'a/b' } }, 'o.set.Host'],
    [{ remove: ['a', 'Upgrade'] }, 'o.remove[1]'],
    [{ remove: [7] }, 'o.remove[0]'],
    [{ remove: 'a' }, 'o.remove'],
    [{ add: {} }, 'o.add'],
    ['x', 'o'],
    [{ set: 'x' }, 'o.set'],
  ])('are checked: %j', (options, option) => {
    expect(() => parseOption(HEADER_EDITS, 'o', options as object)).toThrow(
      expect.objectContaining({ option }),
    )
  })
})
