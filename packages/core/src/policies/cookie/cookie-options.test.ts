import { describe, expect, it } from 'vitest'
import { OptionError } from '../../options/option.ts'
import { parseCookieOptions } from './cookie-options.ts'

function errorOf(options: unknown): OptionError {
  try {
    parseCookieOptions('cookie', options)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('cookie options', () => {
  it('have safe defaults [T-19]', () => {
    expect(parseCookieOptions('cookie', {})).toEqual({
      name: 'SERVERID',
      path: '/',
      domain: undefined,
      httpOnly: true,
      secure: 'auto',
      sameSite: 'lax',
      partitioned: false,
      maxIdleMs: 0,
      maxLifeMs: 86_400_000,
      persistent: false,
      strip: true,
      noCache: true,
      preserve: false,
      onlyMethods: new Set(),
      opaque: true,
      accept: [],
    })
  })

  it('are taken as given', () => {
    const given = {
      name: '__Host-limpet',
      path: '/',
      httpOnly: false,
      secure: true,
      sameSite: 'none',
      partitioned: true,
      maxIdle: '30m',
      maxLife: 0,
      persistent: true,
      strip: false,
      noCache: false,
      preserve: true,
      onlyMethods: ['POST', 'PUT'],
      opaque: false,
      accept: ['haproxy', 'raw'],
    }
    const { maxIdle, maxLife, ...same } = given
    expect([maxIdle, maxLife]).toEqual(['30m', 0])
    expect(parseCookieOptions('cookie', given)).toEqual({
      ...same,
      domain: undefined,
      maxIdleMs: 1_800_000,
      maxLifeMs: 0,
      onlyMethods: new Set(['POST', 'PUT']),
      accept: [
        { valuesOf: expect.any(Function), keyOf: expect.any(Function) },
        { valuesOf: expect.any(Function) },
      ],
    })
  })

  it.each([
    ['an empty name [LB112]', { name: '' }, 'cookie.name', '""'],
    ['a name that is no token', { name: 'a b' }, 'cookie.name', '"a b"'],
    ['a name that would end the line [T-12]', { name: 'a\r\nSet-Cookie: x' }, 'cookie.name', 'RFC 9110'],
    ['a name with a line feed at its end [T-12]', { name: 'a\n' }, 'cookie.name', 'token'],
    ['a name that is no text', { name: 7 }, 'cookie.name', '7'],
    ['a name that is too long', { name: 'x'.repeat(129) }, 'cookie.name', 'token'],
    ['a path that does not begin with /', { path: 'foo' }, 'cookie.path', '"foo"'],
    ['an empty path', { path: '' }, 'cookie.path', '""'],
    ['a path with a semicolon [LB071] [T-12]', { path: '/a;Secure' }, 'cookie.path', '"/a;Secure"'],
    ['a path with a control character [LB071] [T-12]', { path: '/a\r\n' }, 'cookie.path', 'visible'],
    ['a path with a comma', { path: '/a,b' }, 'cookie.path', '"/a,b"'],
    ['a path with a letter that is not ASCII', { path: '/ä' }, 'cookie.path', 'visible'],
    ['a domain with a semicolon [T-12]', { domain: 'a;b' }, 'cookie.domain', '"a;b"'],
    ['an empty domain', { domain: '' }, 'cookie.domain', 'a domain name'],
    ['a domain that ends with a dot', { domain: 'a.' }, 'cookie.domain', '"a."'],
    ['httpOnly as a text', { httpOnly: 'yes' }, 'cookie.httpOnly', 'true or false'],
    ['secure as a text', { secure: 'always' }, 'cookie.secure', 'auto, true, false'],
    ['sameSite in capitals', { sameSite: 'Lax' }, 'cookie.sameSite', 'lax, strict, none, omit'],
    ['partitioned as a number', { partitioned: 1 }, 'cookie.partitioned', 'true or false'],
    ['maxIdle without a unit', { maxIdle: '30' }, 'cookie.maxIdle', '"30"'],
    ['a negative maxLife', { maxLife: -1 }, 'cookie.maxLife', '-1'],
    ['a maxIdle of less than a second', { maxIdle: '999ms' }, 'cookie.maxIdle', '999ms'],
    ['a maxLife of less than a second', { maxLife: 1 }, 'cookie.maxLife', '1ms'],
    ['persistent as a text', { persistent: 'on' }, 'cookie.persistent', '"on"'],
    ['strip as null', { strip: null }, 'cookie.strip', 'null'],
    ['noCache as a number', { noCache: 0 }, 'cookie.noCache', '0'],
    ['preserve as a list', { preserve: [] }, 'cookie.preserve', 'a list of 0'],
    ['onlyMethods that is no list', { onlyMethods: 'POST' }, 'cookie.onlyMethods', '"POST"'],
    ['a method in small letters', { onlyMethods: ['GET', 'post'] }, 'cookie.onlyMethods[1]', '"post"'],
    ['a method that is missing', { onlyMethods: [undefined] }, 'cookie.onlyMethods[0]', 'capitals'],
    ['opaque as an object', { opaque: {} }, 'cookie.opaque', 'an object'],
    ['accept that is no list', { accept: 'raw' }, 'cookie.accept', 'raw, haproxy'],
    ['an unknown foreign format', { accept: ['raw', 'aws'] }, 'cookie.accept[1]', '"aws"'],
    ['a foreign format that is missing', { accept: [undefined] }, 'cookie.accept[0]', 'raw, haproxy'],
    ['a misspelt key', { maxidle: '30m' }, 'cookie.maxidle', 'known are name, path'],
    ['a list', [], 'cookie', 'a list of 0'],
    ['null', null, 'cookie', 'null'],
    [
      'SameSite=None that is not always Secure [T-19]',
      { sameSite: 'none' },
      'cookie.sameSite',
      'secure: true',
    ],
    [
      'partitioned that is not always Secure',
      { partitioned: true, secure: 'auto' },
      'cookie.partitioned',
      'secure',
    ],
    ['persistent for no time', { persistent: true, maxLife: 0 }, 'cookie.persistent', 'maxIdle or a maxLife'],
    ['__Secure- that is not Secure', { name: '__Secure-a' }, 'cookie.name', 'secure: true'],
    ['__Http- that is not Secure', { name: '__Http-a' }, 'cookie.name', 'secure: true'],
    [
      '__Http- that scripts may read',
      { name: '__Http-a', secure: true, httpOnly: false },
      'cookie.name',
      'httpOnly: true',
    ],
    [
      '__Host-Http- that scripts may read',
      { name: '__host-http-a', secure: true, httpOnly: false },
      'cookie.name',
      'httpOnly: true',
    ],
    [
      '__Host-Http- with a path',
      { name: '__Host-Http-a', secure: true, path: '/a' },
      'cookie.name',
      'path: "/"',
    ],
    ['__Host- that is not Secure [T-08]', { name: '__Host-a', secure: false }, 'cookie.name', 'secure: true'],
    [
      '__Host- with a path [T-08]',
      { name: '__Host-a', secure: true, path: '/a' },
      'cookie.name',
      'path: "/"',
    ],
    [
      '__host- with a domain [T-08]',
      { name: '__host-a', secure: true, domain: 'a.b' },
      'cookie.name',
      'no domain',
    ],
  ])('refuse %s', (_, options, option, says) => {
    const error = errorOf(options)
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_INVALID_OPTION', option })
    expect(error.message).toContain(option)
    expect(error.message).toContain(says)
  })

  it.each([
    ['a name of every character of a token', { name: "!#$%&'*+.^_`|~0aZ-" }],
    ['a domain with a dot before it', { domain: '.example.org' }],
    ['the shortest times', { maxIdle: '1s', maxLife: 1000 }],
    ['no time at all', { maxIdle: 0, maxLife: 0 }],
    ['__Http- with a path', { name: '__Http-a', secure: true, path: '/a' }],
    ['__Host-Http-', { name: '__Host-Http-a', secure: true }],
    ['__Secure- that scripts may read', { name: '__Secure-a', secure: true, httpOnly: false }],
    ['__Secure- with a path', { name: '__Secure-a', secure: true, path: '/a' }],
    ['SameSite=None and Secure', { sameSite: 'none', secure: true }],
  ])('take %s', (_, options) => {
    expect(parseCookieOptions('cookie', options)).toBeDefined()
  })
})
