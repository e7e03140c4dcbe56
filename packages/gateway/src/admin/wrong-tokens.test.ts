import { describe, expect, it } from 'vitest'
import { WrongTokens } from './wrong-tokens.ts'

/** How many of so many wrong tokens may be followed by another at once. */
function free(wrong: WrongTokens, addresses: readonly string[], nowMs = 0): number {
  return addresses.filter(address => wrong.note(address, nowMs) === 0).length
}

describe('wrong tokens', () => {
  it('are ten a minute for an address, and get Retry-After', () => {
    const wrong = new WrongTokens()
    expect(
      free(
        wrong,
        Array.from({ length: 10 }, () => '192.0.2.1'),
      ),
    ).toBe(10)
    expect(wrong.note('192.0.2.1', 15_000)).toBe(45_000)
    expect(wrong.note('192.0.2.2', 15_000)).toBe(0)
    expect(wrong.note('192.0.2.1', 60_000)).toBe(0)
  })

  it('are counted together for an IPv4 address in both of its forms', () => {
    const wrong = new WrongTokens()
    const addresses = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'))
    expect(free(wrong, addresses)).toBe(10)
  })

  it.each([
    ['2001:db8:1:2::', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8::1', '2001:0DB8:0:0:1::'],
    ['fe80::1', 'fe80::2%eth0'],
    ['::1', '0:0:0:0:1::1'],
  ])('are counted together for %s and %s, of one /64', (one, other) => {
    const wrong = new WrongTokens()
    expect(
      free(
        wrong,
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : other)),
      ),
    ).toBe(10)
  })

  it('are counted apart for networks beside each other', () => {
    const wrong = new WrongTokens()
    expect(
      free(
        wrong,
        Array.from({ length: 20 }, (_, n) => `2001:db8:1:${n % 2}::1`),
      ),
    ).toBe(20)
  })

  it('of many networks reset no counter', () => {
    const wrong = new WrongTokens()
    free(
      wrong,
      Array.from({ length: 11 }, () => '192.0.2.1'),
    )
    expect(
      free(
        wrong,
        Array.from({ length: 5_000 }, (_, n) => `2001:db8:${n.toString(16)}::1`),
      ),
    ).toBe(999 + 10)
    expect(wrong.note('192.0.2.1', 1)).toBeGreaterThan(0)
    expect(wrong.note('198.51.100.1', 60_000)).toBe(0)
  })
})
