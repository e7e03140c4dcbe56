import { describe, expect, it } from 'vitest'
import { type CookiePolicyOptions, parseCookieOptions } from './cookie-options.ts'
import { setCookieLine, setCookieName } from './set-cookie.ts'

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)

function line(options: CookiePolicyOptions, secure = false, maxAgeS?: number): string {
  const lifetime = maxAgeS === undefined ? undefined : { nowMs: NOW, maxAgeS }
  return setCookieLine(parseCookieOptions('cookie', options))('v1.x', secure, lifetime)
}

describe('a Set-Cookie line', () => {
  it.each<[string, CookiePolicyOptions, string]>([
    [
      'is HttpOnly, Lax and of the whole site by default [T-19]',
      {},
      'SERVERID=v1.x; Path=/; HttpOnly; SameSite=Lax',
    ],
    [
      'has the domain that was asked for [LB086]',
      { domain: 'mydomain.my' },
      'SERVERID=v1.x; Path=/; Domain=mydomain.my; HttpOnly; SameSite=Lax',
    ],
    [
      'has the path that was asked for [LB087]',
      { path: '/test/path' },
      'SERVERID=v1.x; Path=/test/path; HttpOnly; SameSite=Lax',
    ],
    ['can do without the rest', { httpOnly: false, sameSite: 'omit' }, 'SERVERID=v1.x; Path=/'],
    ['can be strict', { sameSite: 'strict' }, 'SERVERID=v1.x; Path=/; HttpOnly; SameSite=Strict'],
    ['has the name that was asked for', { name: 'route' }, 'route=v1.x; Path=/; HttpOnly; SameSite=Lax'],
  ])('%s', (_, options, expected) => {
    expect(line(options)).toBe(expected)
  })

  it('can be for other sites and partitioned [LB071]', () => {
    expect(line({ secure: true, sameSite: 'none', partitioned: true }, true)).toBe(
      'SERVERID=v1.x; Path=/; HttpOnly; SameSite=None; Partitioned; Secure',
    )
  })

  it('has both Max-Age and Expires, counted from now [LB114] [LB211]', () => {
    expect(line({}, false, 300)).toBe(
      'SERVERID=v1.x; Path=/; HttpOnly; SameSite=Lax; Max-Age=300; Expires=Wed, 02 Jan 2030 03:09:05 GMT',
    )
  })

  it('has every attribute at once [LB171]', () => {
    const options = { name: 'My.Affinity', domain: 'mydomain.my', path: '/some', httpOnly: false } as const
    expect(line(options, true, 3600)).toBe(
      'My.Affinity=v1.x; Path=/some; Domain=mydomain.my; SameSite=Lax; Secure; Max-Age=3600; Expires=Wed, 02 Jan 2030 04:04:05 GMT',
    )
  })
})

describe('the name that a Set-Cookie line sets', () => {
  it.each([
    ['SRV=app', 'SRV'],
    ['SRV=app; Path=/; other=1', 'SRV'],
    [' SRV = app; Path=/', 'SRV'],
    ['SRV; Path=/', 'SRV'],
    ['SRV', 'SRV'],
    ['SRV=', 'SRV'],
    ['=x', ''],
    ['; SRV=x', ''],
    ['', ''],
    ['srv=app', 'srv'],
  ])('of %j is %j', (text, expected) => {
    expect(setCookieName(text)).toBe(expected)
  })
})
