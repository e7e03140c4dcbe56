import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressBytes } from './address-bytes.ts'

describe('the bytes of an address', () => {
  it.each([
    ['192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:c000:201', [192, 0, 2, 1]],
    ['::', Array.from({ length: 16 }, () => 0)],
    ['::1', [...Array.from({ length: 15 }, () => 0), 1]],
    ['[2001:db8::1]', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['2001:db8::', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['fe80::1%eth0', [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['64:ff9b::192.0.2.33', [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33]],
  ])('%s', (address, expected) => {
    expect([...(addressBytes(address) ?? [])]).toEqual(expected)
  })

  it.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1::2::3',
    ':::',
    '[::1',
    '2001:db8::g',
    '1.2.3.4:80',
  ])('there are none of %s', address => {
    expect(addressBytes(address)).toBeUndefined()
  })

  it('are those that Node reads, however the address is written', () => {
    fc.assert(
      fc.property(fc.ipV6(), address => {
        const bytes = addressBytes(address) ?? Buffer.alloc(0)
        const groups = Array.from({ length: bytes.length / 2 }, (_, at) =>
          bytes.readUInt16BE(at * 2).toString(16),
        )
        const list = new BlockList()
        if (bytes.length === 4) list.addAddress([...bytes].join('.'), 'ipv4')
        else list.addAddress(groups.join(':'), 'ipv6')
        expect(list.check(address, 'ipv6')).toBe(true)
      }),
    )
  })
})
