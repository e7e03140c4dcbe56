import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAffinity } from '../../affinity.ts'
import type { Failure } from '../../failure.ts'
import type { Lease } from '../../lease.ts'
import type { Backend } from '../../pool/backend.ts'
import { OptionError } from '../../options/option.ts'
import { affinityOf, forwarded, pairOf, responded, SECRET, select } from './prefix-policy.fixture.ts'

const OLDER = 'older-0123456789abcdefghijklmnopqrstuvwxyz'

/** Reports a failure, and asks for the backend of the next attempt. */
function redispatch(lease: Lease, failure: Failure): Backend | undefined {
  lease.failed(failure)
  return lease.next(failure)
}

describe('the prefix policy', () => {
  it('ties the session to the backend that set its cookie, which sees its own value [LB041]', () => {
    const affinity = affinityOf()
    const first = select(affinity)
    const [marked, other] = responded(first, ['SID=abc; Path=/; HttpOnly', 'o=1'])
    expect(marked).toMatch(/^SID=[\w-]{16}\.[\w+/]{43}~abc; Path=\/; HttpOnly$/)
    expect(other).toBe('o=1')
    for (let count = 0; count < 6; count += 1) {
      const next = select(affinity, `x=1; ${pairOf(marked)}; y=2`)
      expect([next.backend.id, next.status]).toEqual([first.backend.id, 'matched'])
      expect(forwarded(next)).toBe('x=1; SID=abc; y=2')
      next.release()
    }
  })

  it.each([
    ['a value that the application marked as HAProxy does [LB043]', 's1~abc'],
    ['a quoted value [LB044]', '"abc"'],
    ['a value with the delimiter', 'a~b~c'],
    ['an empty value', ''],
    ['a value with = and blanks', 'a = b'],
    ['bytes beyond ASCII', 'gr\u00fc\u00df\u00a0'],
  ])('gives back %s', (_, value) => {
    const affinity = affinityOf()
    const [marked] = responded(select(affinity), `SID=${value}`)
    expect(forwarded(select(affinity, pairOf(marked)))).toBe(`SID=${value}`)
  })

  it('treats a marked value that the application sets as its own, and returns it [LB043]', () => {
    const affinity = affinityOf()
    const [once] = responded(select(affinity), 'SID=abc')
    const [twice] = responded(select(affinity), once ?? '')
    expect(forwarded(select(affinity, pairOf(twice)))).toBe(pairOf(once))
  })

  it.each(['abc', 'a~b~c', 's1~abc', '', '"a~b"', '~', 'x.y~z', `${'t'.repeat(16)}.${'A'.repeat(43)}~abc`])(
    'leaves a value alone that was never marked: %s [LB046] [LB048]',
    value => {
      const affinity = affinityOf()
      const leases = [1, 2, 3].map(() => select(affinity, `a=b;SID=${value};  c="d"`))
      expect(new Set(leases.map(lease => lease.backend.id)).size).toBe(3)
      expect(leases.map(lease => [lease.status, forwarded(lease)])).toEqual(
        leases.map(() => ['none', `a=b;SID=${value};  c="d"`]),
      )
    },
  )

  it('gives back, byte for byte, whatever the application sets', () => {
    const affinity = affinityOf()
    const octet = fc.integer({ min: 0x20, max: 0xff }).filter(code => code !== 0x3b && code !== 0x7f)
    const value = fc.array(octet, { maxLength: 60 }).map(codes => String.fromCharCode(...codes))
    const around = fc.constantFrom('', 'a=1; ', 'SIDE=2;', 'XSID=abc ;\t', 'SID; ')
    fc.assert(
      fc.property(value, around, around, (own, before, after) => {
        const kept = own.replace(/^[ \t]+|[ \t]+$/g, '')
        const first = select(affinity)
        const [marked] = responded(first, `SID=${own}; Path=/`)
        const next = select(affinity, `${before}${pairOf(marked)}; ${after}z=1`)
        expect(forwarded(next)).toBe(`${before}SID=${kept}; ${after}z=1`)
        expect(next.backend.id).toBe(first.backend.id)
        first.release()
        next.release()
      }),
    )
  })

  it('leaves every other byte of the Cookie header as it is', () => {
    const affinity = affinityOf()
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (line, isNamed) => {
        const cookie = isNamed ? `SID=${line}` : line
        expect(forwarded(select(affinity, cookie)) ?? '').toBe(cookie)
      }),
    )
  })

  it('reads and gives back a value that the client has put in quotes', () => {
    const affinity = affinityOf()
    const first = select(affinity)
    const [marked] = responded(first, 'SID=abc')
    const next = select(affinity, pairOf(marked).replace(/=(.*)/, '="$1"'))
    expect([next.backend.id, forwarded(next)]).toEqual([first.backend.id, 'SID="abc"'])
  })

  it('keeps the attributes of a deletion, so that the browser deletes [LB050]', () => {
    const [line] = responded(select(affinityOf()), 'SID=; Max-Age=0')
    expect(line).toMatch(/^SID=[^;]+~; Max-Age=0$/)
  })

  it('lets the application renew its cookie [LB052]', () => {
    const affinity = affinityOf()
    const [first] = responded(select(affinity), 'SID=abc')
    const again = select(affinity, pairOf(first))
    const [second] = responded(again, 'SID=def; Secure')
    expect(forwarded(select(affinity, pairOf(second)))).toBe('SID=def')
    expect(select(affinity, pairOf(second)).backend.id).toBe(again.backend.id)
  })

  it('gives the mark of the backend that responds after a redispatch', () => {
    const affinity = affinityOf()
    const lease = select(affinity)
    const gone = lease.backend.id
    redispatch(lease, { kind: 'unreached', slow: false, cause: new Error('refused') })
    const [marked] = responded(lease, 'SID=abc')
    expect(lease.backend.id).not.toBe(gone)
    expect(select(affinity, pairOf(marked)).backend.id).toBe(lease.backend.id)
  })

  it('cannot be steered: a mark is good for the value it was given to alone [T-01]', () => {
    const affinity = affinityOf()
    const lines = [1, 2].map(() => responded(select(affinity), `SID=own-${select(affinity).backend.id}`)[0])
    const [mine = '', theirs = ''] = lines.map(line => pairOf(line))
    const stolen = `${mine.slice(0, mine.indexOf('~'))}~${theirs.slice(theirs.indexOf('~') + 1)}`
    const lease = select(affinity, stolen)
    expect([lease.status, forwarded(lease)]).toEqual(['none', stolen])
    for (const at of [4, 10, 25, 60]) {
      const changed = mine.slice(0, at) + (mine[at] === 'A' ? 'B' : 'A') + mine.slice(at + 1)
      expect(select(affinity, changed).status).toBe('none')
    }
  })

  it('says nothing to another pool, and the application there gets it untouched', () => {
    const [marked] = responded(select(affinityOf({ name: 'web' })), 'SID=abc')
    const there = select(affinityOf({ name: 'api' }), pairOf(marked))
    expect([there.status, forwarded(there)]).toEqual(['none', pairOf(marked)])
  })

  it('takes the mark off a value whose backend has left the pool', () => {
    const affinity = affinityOf()
    const first = select(affinity)
    const [marked] = responded(first, 'SID=abc')
    affinity.pool.remove(first.backend.id)
    const next = select(affinity, pairOf(marked))
    expect([next.status, forwarded(next)]).toEqual(['unknown', 'SID=abc'])
  })

  it('reads marks of an older secret and of the other spelling of a backend', () => {
    const old = affinityOf({ secrets: [OLDER], prefix: { opaque: false } })
    const first = select(old)
    const [marked] = responded(first, 'SID=abc')
    expect(marked).toMatch(new RegExp(`^SID=${first.backend.id}\\.`))
    const lease = select(affinityOf({ secrets: [SECRET, OLDER] }), pairOf(marked))
    expect([lease.backend.id, lease.status, forwarded(lease)]).toEqual([
      first.backend.id,
      'matched',
      'SID=abc',
    ])
  })

  it('reads the first usable of several cookies of its name, and takes the marks off all', () => {
    const affinity = affinityOf()
    const [first, second] = [select(affinity), select(affinity)].map(lease => ({
      id: lease.backend.id,
      pair: pairOf(responded(lease, 'SID=abc')[0]),
    }))
    affinity.pool.setState(first?.id ?? '', 'maint')
    const lease = select(affinity, `${first?.pair}; ${second?.pair}; SID=own`)
    expect([lease.backend.id, forwarded(lease)]).toEqual([second?.id, 'SID=abc; SID=abc; SID=own'])
  })

  it('makes a cacheable response private, unless configured otherwise', () => {
    const more = { 'cache-control': 'public, max-age=60' }
    const headers = { 'set-cookie': ['SID=abc'], ...more }
    const answer = { statusCode: 200, headers }
    expect(select(affinityOf()).responded(answer)['cache-control']).toBe('private, max-age=60')
    const kept = affinityOf({ prefix: { noCache: false } })
    expect(select(kept).responded(answer)['cache-control']).toBe('public, max-age=60')
    const unset = { statusCode: 200, headers: { ...more, 'set-cookie': ['other=1'] } }
    expect(select(affinityOf()).responded(unset)['cache-control']).toBe('public, max-age=60')
  })

  it('does not mark a value that would then be too long for a browser', () => {
    const value = 'x'.repeat(4040)
    expect(responded(select(affinityOf()), `SID=${value}`)).toEqual([`SID=${value}`])
  })

  it.each(['SID', 'SID; Path=/', '; SID=1', '=SID', 'sid=abc', 'XSID=abc'])('leaves "%s" alone', line => {
    expect(responded(select(affinityOf()), line)).toEqual([line])
  })

  it.each([
    {},
    { cookie: '' },
    { cookie: 'a b' },
    { cookie: 'SID', name: 'x' },
    { cookie: 'SID', opaque: 1 },
    'SID',
  ])('refuses %j', prefix => {
    const options = { backends: [{ id: 'a', url: 'http://a.test' }], secrets: [SECRET] }
    expect(() => createAffinity({ ...options, affinity: [{ prefix }] as never })).toThrow(OptionError)
  })

  it.each([
    [{ prefix: { cookie: 'SID' } }, { cookie: { name: 'SID' } }],
    [{ cookie: { name: 'SID' } }, { prefix: { cookie: 'SID' } }],
    [{ prefix: { cookie: 'SID' } }, { prefix: { cookie: 'SID' } }],
  ])('refuses %j beside %j', (...affinity) => {
    const options = { backends: [{ id: 'a', url: 'http://a.test' }], secrets: [SECRET] }
    expect(() => createAffinity({ ...options, affinity })).toThrow(/option affinity\[1\]\.\S+ got "SID"/)
  })

  describe('with the marks of HAProxy', () => {
    const affinity = createAffinity({
      secrets: [SECRET],
      backends: [
        { id: 'a', url: 'http://a.test:80', aliases: ['s1'] },
        { id: 'b', url: 'http://b.test:80', aliases: ['s2'] },
      ],
      affinity: [{ prefix: { cookie: 'SID', accept: ['haproxy'] } }],
    })

    it.each([
      ['SID=s2~abc', 'b', 'SID=abc'],
      ['x=1; SID=s1~a~b; y=2', 'a', 'x=1; SID=a~b; y=2'],
      ['SID=b~', 'b', 'SID='],
      ['SID="s2~abc"', 'b', 'SID="abc"'],
    ])('takes %s', (cookie, id, seen) => {
      const leases = [1, 2].map(() => select(affinity, cookie))
      expect(leases.map(lease => [lease.backend.id, lease.status, forwarded(lease)])).toEqual([
        [id, 'matched', seen],
        [id, 'matched', seen],
      ])
    })

    it.each(['SID=abc', 'SID=~abc', 'SID=s3~abc', 'SID=s1', 'SID=S1~abc'])('leaves %s alone', cookie => {
      const lease = select(affinity, cookie)
      expect([lease.status, forwarded(lease)]).toEqual(['none', cookie])
    })

    it('writes its own mark when the application renews the cookie', () => {
      const lease = select(affinity, 'SID=s2~abc')
      const [line] = responded(lease, 'SID=def')
      expect(line).toMatch(/^SID=[\w-]{16}\.[\w+/]{43}~def$/)
      const next = select(affinity, pairOf(line))
      expect([next.backend.id, forwarded(next)]).toEqual(['b', 'SID=def'])
    })

    it('does not read them unless configured [T-02]', () => {
      const lease = select(affinityOf({ ids: ['s1', 's2'] }), 'SID=s1~abc')
      expect([lease.status, forwarded(lease)]).toEqual(['none', 'SID=s1~abc'])
    })

    it.each(['haproxy', ['raw'], [{ haproxy: {} }]])('refuses %j for accept', accept => {
      expect(() => affinityOf({ prefix: { accept: accept as never } })).toThrow(/accept/)
    })
  })

  it('needs secrets', () => {
    const options = { backends: [{ id: 'a', url: 'http://a.test' }] }
    expect(() => createAffinity({ ...options, affinity: [{ prefix: { cookie: 'SID' } }] })).toThrow(/secrets/)
  })
})
