import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressBlock } from './address-block.ts'

describe('the block of an address', () => {
  it.each<[string, number, number, string]>([
    ['192.0.2.7', 32, 64, 'c0000207'],
    ['192.0.2.7', 24, 64, 'c0000200'],
    ['192.0.2.7', 29, 64, 'c0000200'],
    ['192.0.2.7', 1, 64, '80000000'],
    ['::ffff:192.0.2.7', 24, 64, 'c0000200'],
    ['2001:db8:1:2:3:4:5:6', 32, 64, '20010db8000100020000000000000000'],
    ['2001:db8:1:2:3:4:5:6', 32, 63, '20010db8000100020000000000000000'],
    ['2001:db8:1:2:3:4:5:6', 32, 62, '20010db8000100000000000000000000'],
    ['2001:DB8::6', 32, 128, '20010db8000000000000000000000006'],
  ])('%s of /%i and /%i is %s', (address, ipv4Prefix, ipv6Prefix, expected) => {
    expect(addressBlock(address, { ipv4Prefix, ipv6Prefix })).toBe(expected)
  })

  it.each(['', 'localhost', '192.0.2', '1.2.3.4:80', '::g'])('is none for %j', address => {
    expect(addressBlock(address, { ipv4Prefix: 32, ipv6Prefix: 64 })).toBeUndefined()
  })

  it.each(['ipv4', 'ipv6'] as const)(
    'is the same for two addresses when Node says that they lie in one network: %s',
    family => {
      const bits = family === 'ipv4' ? 32 : 128
      const text = (bytes: Uint8Array): string =>
        family === 'ipv4'
          ? bytes.join('.')
          : (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).join(':')
      const bytes = fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
      const prefixes = fc.integer({ min: 1, max: bits })
      fc.assert(
        fc.property(bytes, fc.nat(bits), prefixes, (one, differs, prefix) => {
          // Not IPv4 in IPv6.
          fc.pre(one[0] !== 0)
          const other = one.map((byte, at) => (at === differs >> 3 ? byte ^ (0x80 >> (differs & 7)) : byte))
          const network = new BlockList()
          network.addSubnet(text(one), prefix, family)
          const [a, b] = [one, other].map(each =>
            addressBlock(text(each), { ipv4Prefix: prefix, ipv6Prefix: prefix }),
          )
          expect(a === b).toBe(network.check(text(other), family))
        }),
      )
    },
  )
})
