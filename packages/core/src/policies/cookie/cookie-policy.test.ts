import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderFields, RequestHead } from '../../head.ts'
import type { Claim } from '../policy.ts'
import { LivePool } from '../../pool/live-pool.ts'
import { type CookiePolicyOptions, parseCookieOptions } from './cookie-options.ts'
import { writeKeys } from '../policy-writing.ts'
import { cookiePolicy } from './cookie-policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2030, 0, 1)
const NEW = Buffer.from('the newest secret of 32 bytes or more')
const OLD = Buffer.from('an older secret, also 32 bytes or more')

function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: cookie === undefined ? [] : ['Cookie', cookie],
    headers: cookie === undefined ? {} : { cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

interface SetUp extends CookiePolicyOptions {
  readonly pool?: LivePool
  readonly secrets?: readonly Uint8Array[]
  readonly clock?: { ms: number }
}

function poolOf(ids: readonly string[], name = 'web'): LivePool {
  return new LivePool(
    name,
    ids.map(id => ({ id, url: `http://${id}.test:80` })),
  )
}

interface Visit extends Partial<RequestHead> {
  readonly answer?: HeaderFields
  readonly statusCode?: number
  readonly isSecure?: boolean
  /** The backend that responds, whatever was claimed. */
  readonly by?: string
}

/** One policy, and a browser's view of it. */
function setUp({
  pool = poolOf(['a', 'b', 'c']),
  secrets = [NEW],
  clock = { ms: START },
  ...options
}: SetUp = {}) {
  const parsed = parseCookieOptions('cookie', options)
  const policy = cookiePolicy(parsed, { pool, secrets, now: () => clock.ms })

  function read(cookie: string | undefined, facts: Partial<RequestHead> = {}): readonly Claim[] {
    const claims = policy.read(request(cookie, facts))
    if (claims instanceof Promise) throw new Error('needs no promise')
    return [claims].flat()
  }

  /** The fields of the response to a request with `cookie`, from `by`, or else the claimed backend, or else `a`. */
  function answer(cookie: string | undefined, visit: Visit = {}): HeaderFields {
    const { answer: headers = {}, statusCode = 200, isSecure = false, by, ...facts } = visit
    const claims = read(cookie, facts)
    const claim = claims.find(one => one.kind === 'backend') ?? claims[0] ?? { kind: 'none' }
    const id = by ?? (claim.kind === 'backend' ? claim.id : 'a')
    const backend = { id, url: new URL(`http://${id}.test:80`) }
    const fields = { ...headers }
    const response = { statusCode, headers }
    const session = { started: () => {}, moved: () => {} }
    const responded = {
      request: request(cookie, facts),
      response,
      backend,
      isSecure,
      session,
      isFailure: false,
    }
    writeKeys(pool, [policy], { ...responded, claims: [claim] }, fields)
    return fields
  }

  function lines(cookie: string | undefined, visit: Visit = {}): string[] {
    return [answer(cookie, visit)['set-cookie'] ?? []].flat()
  }

  /** The cookie that a browser would send next, `name=value`; undefined when it got none. */
  function told(cookie: string | undefined, visit: Visit = {}): string | undefined {
    return lines(cookie, visit)
      .find(line => line.startsWith(`${parsed.name}=`))
      ?.split(';')[0]
  }

  return {
    pool,
    clock,
    read,
    answer,
    lines,
    told,
    /** A good cookie for `id`. */
    cookieFor: (id: string): string => told(undefined, { by: id }) ?? '',
    forward: (line: string, facts: Partial<RequestHead> = {}): string =>
      policy.forwardHeaders?.['cookie']?.(line, request(line, facts)) ?? 'no such method',
    ids: (cookie: string): string[] =>
      read(cookie).flatMap(claim => (claim.kind === 'backend' ? [claim.id] : [])),
    kinds: (cookie: string | undefined, facts: Partial<RequestHead> = {}): string[] =>
      read(cookie, facts).map(claim => claim.kind),
  }
}

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

describe('the path of a cookie', () => {
  it.each([
    ['/foo', '/foo?x'],
    ['/foo', '/foo/bar'],
    ['/foo', 'http://web.test/foo/bar'],
    ['/', '*'],
  ])('%s is that of a request for %s [LB117] [LB189]', (path, url) => {
    const { cookieFor, kinds, told } = setUp({ path })
    const facts = { url }
    expect(told(undefined, facts)).toBeDefined()
    expect(kinds(told(undefined, facts), facts)).toEqual(['backend'])
    expect(cookieFor('a') === '').toBe(path !== '/')
  })

  it.each(['/', '/foobar', '/bar/foo', 'http://web.test/', 'http://web.test/foobar', 'http://web.test', '*'])(
    'outside of it nothing is read and nothing set: %s [LB117] [LB189]',
    url => {
      const { kinds, told } = setUp({ path: '/foo' })
      const cookie = told(undefined, { url: '/foo' })
      expect(cookie).toBeDefined()
      expect(kinds(cookie, { url })).toEqual(['none'])
      expect(told(undefined, { url })).toBeUndefined()
    },
  )
})

describe('writing', () => {
  it('tells a new client once, and a returning one nothing [LB007] [LB209]', () => {
    const { lines, cookieFor } = setUp()
    expect(lines(undefined)).toHaveLength(1)
    expect(lines(cookieFor('a'))).toEqual([])
  })

  it('tells a client that was moved of its new backend, in one line [LB114] [LB154] [LB163]', () => {
    const { ids, lines, told, cookieFor } = setUp()
    const cookie = cookieFor('a')
    expect(lines(cookie, { by: 'b' })).toHaveLength(1)
    expect(ids(told(cookie, { by: 'b' }) ?? '')).toEqual(['b'])
  })

  it.each([
    ['unknown', 'SERVERID=garbage'],
    ['empty', 'SERVERID='],
  ])('replaces an %s key [LB078] [LB079] [LB139] [T-01]', (_, cookie) => {
    const { ids, told } = setUp()
    expect(ids(told(cookie, { by: 'c' }) ?? '')).toEqual(['c'])
  })

  it('never tells the address or, by default, the id of a backend [T-10]', () => {
    const pool = poolOf(['backend-one', 'backend-two'])
    const { lines } = setUp({ pool })
    const [line = ''] = lines(undefined, { by: 'backend-two' })
    expect(line).not.toMatch(/backend|test|one|two/)
    expect(Buffer.from(line, 'base64').toString('latin1')).not.toContain('backend')
  })

  it('tells the id when it may be read, signed all the same', () => {
    const { cookieFor, ids, kinds } = setUp({ opaque: false })
    expect(cookieFor('b')).toMatch(/^SERVERID=v1\.b\./)
    expect(ids(cookieFor('b'))).toEqual(['b'])
    expect(kinds(cookieFor('b').replace('v1.b.', 'v1.a.'))).toEqual(['invalid'])
  })

  it.each<[string, boolean, CookiePolicyOptions, boolean]>([
    ['by TLS is told Secure [LB155] [LB192] [T-19]', true, {}, true],
    ['without TLS is not [LB192]', false, {}, false],
    ['without TLS is told it when it always is', false, { secure: true }, true],
    ['by TLS is not told it when it never is', true, { secure: false }, false],
  ])('a client that came %s', (_, isSecure, options, expected) => {
    const [line = ''] = setUp(options).lines(undefined, { isSecure })
    expect(/; Secure(?:;|$)/.test(line)).toBe(expected)
    expect(line).toContain('; HttpOnly')
    expect(line).toContain('; SameSite=Lax')
  })

  it('waits for one of the methods that were named [LB026]', () => {
    const { told } = setUp({ onlyMethods: ['POST'] })
    expect(told(undefined, { method: 'GET' })).toBeUndefined()
    expect(told(undefined, { method: 'POST' })).toBeDefined()
  })

  it.each([200, 204, 301, 304, 404, 500, 101])('goes with an answer of a backend, as %i', statusCode => {
    expect(setUp().told(undefined, { statusCode })).toBeDefined()
  })

  describe('beside cookies of the application', () => {
    const app = ['SERVERID=app', 'other=1; Path=/', 'XSERVERID=2', 'serverid=3']

    it('takes out the one of its own name and keeps the rest as they are [LB034] [LB169] [T-17]', () => {
      const { lines, cookieFor } = setUp()
      expect(lines(undefined, { answer: { 'set-cookie': app } }).slice(0, -1)).toEqual(app.slice(1))
      expect(lines(undefined, { answer: { 'set-cookie': app } }).at(-1)).toMatch(/^SERVERID=v1\./)
      expect(lines(cookieFor('a'), { answer: { 'set-cookie': app } })).toEqual(app.slice(1))
      expect(lines(cookieFor('a'), { answer: { 'set-cookie': 'SERVERID=app' } })).toEqual([])
    })

    it('takes out the one of its own name where it sets none itself [LB026]', () => {
      const { lines } = setUp({ onlyMethods: ['POST'] })
      expect(lines(undefined, { answer: { 'set-cookie': app } })).toEqual(app.slice(1))
    })

    it('leaves it alone when asked to, and is silent', () => {
      const { lines } = setUp({ preserve: true })
      expect(lines(undefined, { answer: { 'set-cookie': app } })).toEqual(app)
      expect(lines(undefined, { answer: { 'set-cookie': 'other=1' } })).toHaveLength(2)
    })

    it('leaves them alone outside of its path', () => {
      expect(setUp({ path: '/foo' }).lines(undefined, { answer: { 'set-cookie': app } })).toEqual(app)
    })

    it('touches nothing of an answer when there is nothing to tell [LB032]', () => {
      const { answer, cookieFor } = setUp()
      const headers = { 'cache-control': 'public, max-age=60', etag: '"x"', 'set-cookie': ['other=1'] }
      expect(answer(cookieFor('a'), { answer: headers })).toEqual(headers)
    })
  })

  it('makes a cacheable answer private, unless asked not to [LB029] [T-16]', () => {
    const headers = { 'cache-control': 'public, max-age=60' }
    expect(setUp().answer(undefined, { answer: headers })['cache-control']).toBe('private, max-age=60')
    expect(setUp({ noCache: false }).answer(undefined, { answer: headers })['cache-control']).toBe(
      'public, max-age=60',
    )
  })

  it('leaves the answer to a POST as cacheable as it was [LB033]', () => {
    const { answer } = setUp()
    const headers = { 'cache-control': 'public' }
    expect(answer(undefined, { answer: headers, method: 'POST' })['cache-control']).toBe('public')
  })
})

describe('the backend’s view', () => {
  it('is the cookie of another application with our name, outside our path [LB117]', () => {
    const { forward } = setUp({ path: '/shop' })
    expect(forward('SERVERID=theirs; a=1', { url: '/blog' })).toBe('SERVERID=theirs; a=1')
    expect(forward('SERVERID=ours; a=1', { url: '/shop/cart' })).toBe('a=1')
  })

  it('is every cookie but ours [LB007] [LB010] [LB017]', () => {
    const { forward, cookieFor } = setUp()
    expect(forward(`a=1; ${cookieFor('a')}; b=2; SERVERID=zz`)).toBe('a=1; b=2')
    expect(forward(cookieFor('a'))).toBe('')
    expect(forward('a = 1;b=2')).toBe('a = 1;b=2')
  })

  it('is ours too when it is not stripped, unknown or not [LB009] [LB170]', () => {
    const { forward } = setUp({ strip: false })
    expect(forward('SERVERID=zz; a=1')).toBe('SERVERID=zz; a=1')
  })
})

describe('timeouts', () => {
  const both = { maxIdle: '30m', maxLife: '8h' } as const

  it('of idleness: renewed when a tenth is gone, and not before [LB063] [LB204]', () => {
    const { clock, told, cookieFor, ids } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms += 3 * MINUTE - 1000
    expect(told(cookie)).toBeUndefined()
    clock.ms += 1000
    const renewed = told(cookie) ?? ''
    expect(ids(renewed)).toEqual(['a'])
    expect(renewed).not.toBe(cookie)
    clock.ms += 29 * MINUTE
    expect(ids(cookie)).toEqual([])
    expect(ids(renewed)).toEqual(['a'])
  })

  it('of idleness: a key that was last seen too long ago is expired [LB065]', () => {
    const { clock, kinds, cookieFor } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms += 30 * MINUTE - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it('of a life: a key that was issued too long ago is expired, though it was seen just now [LB066] [LB115] [T-03]', () => {
    const { clock, told, kinds, cookieFor } = setUp(both)
    let cookie = cookieFor('a')
    for (let minute = 0; minute < 479; minute += 10) {
      clock.ms = START + minute * MINUTE
      expect(kinds(cookie)).toEqual(['backend'])
      cookie = told(cookie) ?? cookie
    }
    clock.ms = START + 8 * HOUR - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
    const next = told(cookie) ?? ''
    expect(kinds(next)).toEqual(['backend'])
  })

  it('of a life: never stretched, however often and whenever a client comes', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 40 * MINUTE }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(waits, fc.constantFrom<CookiePolicyOptions>(both, { maxLife: '8h' }), (list, options) => {
        const { clock, told, kinds, cookieFor } = setUp({ ...options, secrets: [NEW, OLD] })
        let cookie = cookieFor('a')
        for (const wait of list) {
          clock.ms += wait
          const [kind] = kinds(cookie)
          expect(kind === 'backend' && clock.ms - START >= 8 * HOUR).toBe(false)
          if (kind !== 'backend') break
          cookie = told(cookie) ?? cookie
        }
      }),
      { numRuns: 200 },
    )
  })

  it('of a life: by default a day', () => {
    const { clock, kinds, cookieFor } = setUp()
    const cookie = cookieFor('a')
    clock.ms += 24 * HOUR - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it('can be off: the value has no date and holds for ever', () => {
    const { clock, kinds, told, cookieFor } = setUp({ maxLife: 0 })
    const cookie = cookieFor('a')
    expect(cookie.split('.')).toHaveLength(3)
    clock.ms += 10_000 * 24 * HOUR
    expect(kinds(cookie)).toEqual(['backend'])
    expect(told(cookie)).toBeUndefined()
  })

  it.each([
    ['23 hours ahead is of another clock [LB067]', 23 * HOUR, 'backend'],
    ['a day ahead is of another clock', 24 * HOUR, 'backend'],
    ['further ahead is of no clock', 24 * HOUR + 1000, 'invalid'],
    ['25 hours ahead is of no clock [LB068]', 25 * HOUR, 'invalid'],
  ])('a date %s', (_, ahead, expected) => {
    const { clock, kinds, cookieFor } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms -= ahead
    expect(kinds(cookie)).toEqual([expected])
  })

  it('of a clock that is ahead are kept, and the browser gets at most the whole life', () => {
    const { clock, ids, told, cookieFor, lines } = setUp({ ...both, persistent: true })
    const cookie = cookieFor('a')
    clock.ms -= 20 * HOUR
    expect([ids(cookie), told(cookie)]).toEqual([['a'], undefined])
    const [line = ''] = lines(cookie, { by: 'b' })
    expect(line).toContain('; Max-Age=1800; ')
    clock.ms += 20 * HOUR + 4 * MINUTE
    expect(told(cookie), 'is renewed when its time has come').toBeDefined()
  })

  it.each<[string, CookiePolicyOptions, CookiePolicyOptions, number]>([
    ['a life', { maxLife: 0 }, { maxLife: '8h' }, 8 * HOUR],
    ['idleness', { maxLife: 0 }, { maxLife: 0, maxIdle: '30m' }, 30 * MINUTE],
    ['idleness, and has another date', { maxLife: '8h' }, both, 30 * MINUTE],
  ])('that a value lacks do not make it good for ever: %s [LB116]', (_, before, after, ms) => {
    const undated = setUp(before).cookieFor('b')
    const { clock, kinds, told } = setUp(after)
    clock.ms += ms - 1000
    expect(kinds(undated)).toEqual(['backend'])
    expect(told(undated), 'is replaced by a dated one').toBeDefined()
    clock.ms += 1000
    expect(kinds(undated)).toEqual(['expired'])
  })

  it('cannot be reset by leaving out the dates or writing others [LB069] [T-01]', () => {
    const { kinds, cookieFor } = setUp(both)
    const [version, tag, issued, seen, signature] = cookieFor('a').split('.')
    const forged = [
      [version, tag, signature],
      [version, tag, issued, signature],
      [version, tag, seen, signature],
      [version, tag, issued, 'zzzzzz', signature],
      [version, tag, '@@@@@', '@@@@@', signature],
    ].map(parts => parts.join('.'))
    expect(forged.flatMap(cookie => kinds(cookie))).toEqual(forged.map(() => 'invalid'))
  })

  it('that are turned off are taken out of the value [LB070]', () => {
    const { cookieFor } = setUp(both)
    const { told, ids } = setUp({ maxLife: 0 })
    const undated = told(cookieFor('b')) ?? ''
    expect(undated.split('.')).toHaveLength(3)
    expect(ids(undated)).toEqual(['b'])
    expect(told(undated)).toBeUndefined()
  })

  it.each<[string, CookiePolicyOptions, number]>([
    ['both', both, 5],
    ['a life', { maxLife: '8h' }, 4],
    ['idleness', { maxLife: 0, maxIdle: '30m' }, 5],
  ])('that are turned on are put into the value, and the session stays: %s [LB070]', (_, options, parts) => {
    const { cookieFor } = setUp({ maxLife: 0 })
    const { told, ids } = setUp(options)
    const dated = told(cookieFor('b')) ?? ''
    expect(dated.split('.')).toHaveLength(parts)
    expect(ids(dated)).toEqual(['b'])
    expect(told(dated)).toBeUndefined()
  })

  it('of a life count anew with a new backend, and not with the same', () => {
    const { clock, told, kinds, cookieFor } = setUp({ maxLife: '8h' })
    const cookie = cookieFor('a')
    clock.ms += 4 * HOUR
    const moved = told(cookie, { by: 'b' }) ?? ''
    clock.ms += 4 * HOUR
    expect(kinds(cookie)).toEqual(['expired'])
    expect(kinds(moved)).toEqual(['backend'])
  })

  it.each<[string, CookiePolicyOptions, number, number]>([
    ['the life', { maxLife: '8h' }, 0, 8 * 3600],
    ['the idle time when that is shorter', both, 0, 1800],
    ['what is left of the life [LB211]', both, 7.75 * HOUR, 900],
  ])(
    'of a persistent cookie: told to the browser as Max-Age and Expires, from %s',
    (_, options, age, expected) => {
      const { clock, lines, told, cookieFor } = setUp({ ...options, persistent: true })
      let cookie = cookieFor('a')
      while (clock.ms < START + age) {
        clock.ms = Math.min(clock.ms + 20 * MINUTE, START + age)
        if (clock.ms < START + age) cookie = told(cookie) ?? cookie
      }
      const [line = ''] = lines(age === 0 ? undefined : cookie)
      expect(line).toContain(`; Max-Age=${expected}; `)
      expect(line).toContain(`; Expires=${new Date(clock.ms + expected * 1000).toUTCString()}`)
    },
  )

  it('of other cookies end with the browser', () => {
    const [line] = setUp(both).lines(undefined)
    expect(line).not.toMatch(/Max-Age|Expires/)
  })
})

describe('rotation of secrets', () => {
  it('honours a key of the older secret and re-issues it with the newer [T-05]', () => {
    const before = setUp({ secrets: [OLD] }).cookieFor('b')
    const during = setUp({ secrets: [NEW, OLD] })
    const after = setUp({ secrets: [NEW] })
    expect(during.ids(before)).toEqual(['b'])
    const reissued = during.told(before) ?? ''
    expect(during.told(reissued)).toBeUndefined()
    expect(after.ids(reissued)).toEqual(['b'])
    expect(after.kinds(before)).toEqual(['invalid'])
  })

  it('keeps the date of issue [T-03] [T-05]', () => {
    const clock = { ms: START }
    const cookie = setUp({ secrets: [OLD], clock }).cookieFor('b')
    const { told, kinds } = setUp({ secrets: [NEW, OLD], clock })
    clock.ms += 23 * HOUR
    const reissued = told(cookie) ?? ''
    expect(kinds(reissued)).toEqual(['backend'])
    clock.ms += HOUR
    expect(kinds(reissued)).toEqual(['expired'])
  })

  it('signs with the first, so that other gateways need not know the second yet', () => {
    expect(setUp({ secrets: [OLD] }).ids(setUp({ secrets: [OLD, NEW] }).cookieFor('a'))).toEqual(['a'])
  })

  it('does not know a tag of one secret under the signature of another', () => {
    const oldTag = setUp({ secrets: [OLD] })
      .cookieFor('b')
      .split('.')[1]
    const newTag = setUp({ secrets: [NEW] })
      .cookieFor('b')
      .split('.')[1]
    expect(oldTag).not.toBe(newTag)
  })
})

describe('values of before', () => {
  it('are taken and re-issued as ours, once [LB198]', () => {
    const { ids, told } = setUp({ accept: ['raw'] })
    expect(ids('SERVERID=b')).toEqual(['b'])
    const ours = told('SERVERID=b') ?? ''
    expect(ours).toMatch(/^SERVERID=v1\./)
    expect(ids(ours)).toEqual(['b'])
    expect(told(ours)).toBeUndefined()
  })

  it('of HAProxy are taken with their dates [LB070]', () => {
    expect(setUp({ accept: ['haproxy'] }).ids('SERVERID=b|AAAAA|AAAAA')).toEqual(['b'])
  })

  it('that name no backend are like any other foreign value', () => {
    expect(setUp({ accept: ['raw'] }).kinds('SERVERID=zz')).toEqual(['invalid'])
  })

  it('are not a way round the end of a life', () => {
    const { clock, kinds, cookieFor } = setUp({ accept: ['raw', 'haproxy'] })
    const cookie = cookieFor('a')
    clock.ms += 24 * HOUR
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it.each<[string, CookiePolicyOptions, CookiePolicyOptions]>([
    ['with ids in clear become opaque', { opaque: false }, { opaque: true }],
    ['with opaque tags become readable', { opaque: true }, { opaque: false }],
  ])('%s, and the session stays', (_, before, after) => {
    const cookie = setUp(before).cookieFor('b')
    const { ids, told } = setUp(after)
    expect(ids(cookie)).toEqual(['b'])
    const replaced = told(cookie) ?? ''
    expect(replaced.startsWith('SERVERID=v1.b.')).toBe(after.opaque === false)
    expect(ids(replaced)).toEqual(['b'])
    expect(told(replaced)).toBeUndefined()
  })
})
