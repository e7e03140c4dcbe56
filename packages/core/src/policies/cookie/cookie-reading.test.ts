import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LivePool } from '../../pool/live-pool.ts'
import { NEW, OLD, poolOf, setUp } from './cookie-visits.fixture.ts'

describe('reading', () => {
  it('finds no key where there is none [LB175]', () => {
    const { kinds } = setUp()
    expect(kinds(undefined)).toEqual(['none'])
    expect(kinds('a=1; XSERVERID=x; serverid=x')).toEqual(['none'])
  })

  it.each(['a', 'b', 'c'])('finds the backend that was written: %s [LB153]', id => {
    const { ids, cookieFor } = setUp()
    expect(ids(cookieFor(id))).toEqual([id])
  })

  it.each([
    ['an empty value', 'SERVERID='],
    ['garbage [LB079]', 'SERVERID=garbage'],
    ['a long value [LB078]', `SERVERID=${'x'.repeat(4000)}`],
    ['an id in clear [T-02]', 'SERVERID=a'],
    ['an address [T-11]', 'SERVERID=http://169.254.169.254/'],
    ['dates without a signature [LB069]', 'SERVERID=v1.a.s44we8'],
    ['percent signs [T-15]', 'SERVERID=%E0%A4%A'],
    ['a member of Object [T-13]', 'SERVERID=__proto__'],
  ])('takes %s for a key that is not ours', (_, cookie) => {
    expect(setUp().kinds(cookie)).toEqual(['invalid'])
  })

  it('takes a quoted value [LB019] [LB168]', () => {
    const { ids, cookieFor } = setUp()
    expect(ids(cookieFor('b').replace('=', '="').concat('"'))).toEqual(['b'])
  })

  it('reads every duplicate, in order, equal ones once [LB010] [LB136] [LB167] [T-08]', () => {
    const { kinds, ids, cookieFor } = setUp()
    const [a, b] = [cookieFor('a'), cookieFor('b')]
    expect(kinds(`SERVERID=bad; ${a}; ${b}; ${a}`)).toEqual(['invalid', 'backend', 'backend'])
    expect(ids(`SERVERID=bad; ${b}; x=1; ${a}`)).toEqual(['b', 'a'])
  })

  it.each([
    ['of another shape', (n: number) => `junk${n}`],
    ['of the shape of ours', (n: number) => `v1.${n}x.${'A'.repeat(43)}`],
  ])('finds the good value behind 50 others %s', (_, junk) => {
    const { ids, cookieFor } = setUp({ secrets: [NEW, OLD] })
    const others = Array.from({ length: 50 }, (_none, n) => `SERVERID=${junk(n)}`)
    expect(ids([...others, cookieFor('b')].join('; '))).toEqual(['b'])
  })

  it.each([
    [1, 160],
    [8, 20],
  ])('verifies so many forged values for %i secrets and no more: %i [T-07]', (count, most) => {
    const secrets = Array.from({ length: count }, (_, n) =>
      Buffer.from(`secret ${n} of 32 bytes or more, say`),
    )
    const forged = Array.from({ length: 200 }, (_, n) => `SERVERID=v1.${n}x.${'A'.repeat(43)}`)
    const junk = Array.from({ length: 500 }, (_, n) => `SERVERID=${n}`)
    const good = setUp({ secrets }).cookieFor('b')
    // Each knows nothing yet: a value that was found good before costs nothing, wherever it stands.
    expect(setUp({ secrets }).ids([...junk, ...forged.slice(0, most - 1), good].join('; '))).toEqual(['b'])
    expect(setUp({ secrets }).ids([...forged.slice(0, most), good].join('; '))).toEqual([])
    const knowing = setUp({ secrets })
    expect(knowing.ids(good)).toEqual(['b'])
    expect(knowing.ids([...forged, good].join('; '))).toEqual(['b'])
  })

  it('knows a backend by its id, not by its place or address [LB004]', () => {
    const { cookieFor } = setUp()
    const elsewhere = new LivePool('web', [
      { id: 'c', url: 'http://192.0.2.3:80' },
      { id: 'b', url: 'http://192.0.2.2:80' },
    ])
    expect(setUp({ pool: elsewhere }).ids(cookieFor('b'))).toEqual(['b'])
    expect(setUp({ pool: elsewhere }).kinds(cookieFor('a'))).toEqual(['unknown'])
  })

  it('says that a backend is unknown once it is gone, and knows it again when it is back [LB139] [LB177]', () => {
    const { pool, kinds, cookieFor } = setUp()
    const cookie = cookieFor('a')
    pool.remove('a')
    expect(kinds(cookie)).toEqual(['unknown'])
    pool.add({ id: 'a', url: 'http://new.test:80' })
    expect(kinds(cookie)).toEqual(['backend'])
  })

  it.each([
    ['pool', { pool: poolOf(['a', 'b', 'c'], 'other') }, {}],
    ['name', { name: 'OTHER' }, {}],
    ['secret', { secrets: [OLD] }, {}],
    ['pool, ids in clear', { pool: poolOf(['a', 'b', 'c'], 'other') }, { opaque: false }],
    ['name, ids in clear', { name: 'OTHER' }, { opaque: false }],
  ])('refuses a cookie of another %s [LB092] [T-04]', (_, other, both) => {
    const here = setUp(both)
    const there = setUp({ ...both, ...other })
    const value = here.cookieFor('a').split('=')[1]
    expect(here.kinds(`SERVERID=${value}`)).toEqual(['backend'])
    expect(there.kinds(`SERVERID=${value}; OTHER=${value}`).filter(kind => kind !== 'none')).toEqual([
      'invalid',
    ])
  })

  it('never names a backend that no signature vouches for, whatever the header', () => {
    const { cookieFor, read } = setUp()
    const good = new Map(['a', 'b', 'c'].map(id => [cookieFor(id).slice('SERVERID='.length), id]))
    const stranger = setUp({ secrets: [OLD] })
      .cookieFor('a')
      .slice('SERVERID='.length)
    const value = fc.oneof(
      fc.constantFrom(...good.keys()),
      fc.constantFrom('', 'a', 'b', 'garbage', stranger, `${stranger}.${stranger}`),
      fc.tuple(fc.constantFrom(...good.keys()), fc.nat(80)).map(([text, end]) => text.slice(0, end)),
      fc
        .tuple(fc.constantFrom(...good.keys()), fc.nat(80), fc.integer({ min: 0x20, max: 0xff }))
        .map(([text, at, code]) => text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)),
      fc
        .tuple(fc.constantFrom(...good.keys()), fc.string({ maxLength: 3 }))
        .map(([text, tail]) => text + tail),
    )
    const pair = fc
      .tuple(
        fc.constantFrom('SERVERID=', ' SERVERID = ', 'SERVERID="', 'XSERVERID=', 'serverid=', 'a='),
        value,
      )
      .map(([name, text]) => `${name}${text}${name.endsWith('"') ? '"' : ''}`)
    const noise = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(c => String.fromCharCode(c)) })
    // No other character is a blank: not even the one that String.trim would take, 0xa0.
    const blanks = /^[ \t]+|[ \t]+$/g
    fc.assert(
      fc.property(fc.array(fc.oneof(pair, noise), { maxLength: 8 }), pairs => {
        const header = pairs.join(';')
        const presented = header
          .split(';')
          .filter(part => part.slice(0, part.indexOf('=')).replace(blanks, '') === 'SERVERID')
          .map(part => part.slice(part.indexOf('=') + 1).replace(blanks, ''))
        const claimed = read(header).flatMap(claim => (claim.kind === 'backend' ? [claim.id] : []))
        const vouched = presented.flatMap(
          text => good.get(text) ?? good.get(text.replace(/^"(.*)"$/, '$1')) ?? [],
        )
        expect(claimed.filter(id => !vouched.includes(id))).toEqual([])
        expect(new Set(presented).size > 4 || vouched.every(id => claimed.includes(id))).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('of 16 KB of forged duplicates takes no time worth the name [T-07] [T-14]', () => {
    const { kinds, cookieFor } = setUp({ secrets: [NEW, OLD] })
    const header = Array.from({ length: 200 }, (_, n) => `${cookieFor('a')}${n}`).join('; ')
    expect(header.length).toBeGreaterThan(14_000)
    const before = performance.now()
    expect(new Set(kinds(header))).toEqual(new Set(['invalid']))
    expect(performance.now() - before).toBeLessThan(250)
  })
})
