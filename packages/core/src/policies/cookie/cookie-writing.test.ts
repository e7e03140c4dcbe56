import { describe, expect, it } from 'vitest'
import type { CookiePolicyOptions } from './cookie-options.ts'
import { poolOf, setUp } from './cookie-visits.fixture.ts'

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
