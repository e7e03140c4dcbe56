import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RequestHead } from '../head.ts'
import { originForm, refusal } from './refusal.ts'
import { requestOfLines } from '../request.fixture.ts'

const HOST: [string, string] = ['Host', 'web.test']
const HTTP2: [string, string][] = [
  [':method', 'GET'],
  [':authority', 'web.test'],
]

function verdict(lines: readonly [string, string][], facts?: Partial<RequestHead>): string {
  const refused = refusal(requestOfLines(lines, facts))
  return refused === undefined ? 'passes' : `${refused.statusCode} ${refused.reason}`
}

describe('the version', () => {
  it.each([
    ['1.1', 'passes'],
    ['1.0', 'passes'],
    ['2.0', '505 version'],
    ['0.9', '505 version'],
    ['1.2', '505 version'],
    ['3.0', '505 version'],
    ['', '505 version'],
  ])('%s: %s [T-30]', (httpVersion, expected) => {
    expect(verdict([HOST], { httpVersion })).toBe(expected)
  })

  it('of HTTP/2 follows from its pseudo-header fields, not from the client’s text [T-30]', () => {
    expect(verdict(HTTP2, { httpVersion: '2.0' })).toBe('passes')
    expect(verdict([], { httpVersion: '2.0' })).toBe('505 version')
  })
})

describe('the method', () => {
  it('CONNECT is not for a gateway [T-32]', () => {
    expect(verdict([HOST], { method: 'CONNECT', url: 'web.test:443' })).toBe('501 method')
  })

  it.each(['GET', 'HEAD', 'POST', 'OPTIONS', 'PROPFIND', 'PURGE'])('%s passes', method => {
    expect(verdict([HOST], { method })).toBe('passes')
  })
})

describe('framing [T-30]', () => {
  it.each<[string, [string, string][], string]>([
    ['one length', [['Content-Length', '5']], 'passes'],
    ['chunked', [['Transfer-Encoding', 'chunked']], 'passes'],
    ['Chunked', [['transfer-encoding', 'Chunked']], 'passes'],
    [
      'two lengths',
      [
        ['Content-Length', '5'],
        ['Content-Length', '6'],
      ],
      '400 framing',
    ],
    [
      'two equal lengths',
      [
        ['Content-Length', '5'],
        ['CONTENT-LENGTH', '5'],
      ],
      '400 framing',
    ],
    [
      'a length and chunked',
      [
        ['Content-Length', '5'],
        ['Transfer-Encoding', 'chunked'],
      ],
      '400 framing',
    ],
    [
      'chunked twice',
      [
        ['Transfer-Encoding', 'chunked'],
        ['Transfer-Encoding', 'chunked'],
      ],
      '501 framing',
    ],
    [',chunked', [['Transfer-Encoding', ',chunked']], '501 framing'],
    ['gzip, chunked', [['Transfer-Encoding', 'gzip, chunked']], '501 framing'],
    ['chunked, identity', [['Transfer-Encoding', 'chunked, identity']], '501 framing'],
    ['identity', [['Transfer-Encoding', 'identity']], '501 framing'],
    ['xchunked', [['Transfer-Encoding', 'xchunked']], '501 framing'],
    ['an empty coding', [['Transfer-Encoding', '']], '501 framing'],
  ])('%s', (_, lines, expected) => {
    expect(verdict([HOST, ...lines], { method: 'POST' })).toBe(expected)
  })

  it('HTTP/1.0 knows no coding', () => {
    expect(verdict([HOST, ['Transfer-Encoding', 'chunked']], { httpVersion: '1.0' })).toBe('400 framing')
  })
})

describe('Host [T-31]', () => {
  it.each<[string, [string, string][], string]>([
    ['a name', [['Host', 'web.test']], 'passes'],
    ['a name in capitals', [['HOST', 'WEB.test']], 'passes'],
    ['a name and a port', [['Host', 'web.test:8080']], 'passes'],
    ['a name and an empty port', [['Host', 'web.test:']], 'passes'],
    ['an address', [['Host', '192.0.2.1']], 'passes'],
    ['an address of version 6', [['Host', '[::1]:80']], 'passes'],
    ['none', [], '400 host'],
    ['an empty one', [['Host', '']], '400 host'],
    [
      'two',
      [
        ['Host', 'a.test'],
        ['Host', 'b.test'],
      ],
      '400 host',
    ],
    [
      'two equal ones',
      [
        ['Host', 'a.test'],
        ['host', 'a.test'],
      ],
      '400 host',
    ],
    ['one with a path', [['Host', 'a.test/b']], '400 host'],
    ['one with a user', [['Host', 'a@b.test']], '400 host'],
    ['one with a blank', [['Host', 'a.test b.test']], '400 host'],
    ['one with a comma', [['Host', 'a.test,b.test']], '400 host'],
    ['one with a query', [['Host', 'a.test?b']], '400 host'],
    ['one with a fragment', [['Host', 'a.test#b']], '400 host'],
    ['one with a backslash', [['Host', String.raw`a.test\b`]], '400 host'],
    ['one with a port that is none', [['Host', 'a.test:80x']], '400 host'],
    ['one with two ports', [['Host', 'a.test:80:80']], '400 host'],
    ['one with a port too long', [['Host', 'a.test:123456']], '400 host'],
    ['one with half a bracket', [['Host', '[::1']], '400 host'],
    ['one with a letter that is not ASCII', [['Host', 'b\u00fccher.test']], '400 host'],
    ['one that is too long', [['Host', 'a'.repeat(256)]], '400 host'],
    ['one that ends a line', [['Host', 'a.test\n']], '400 host'],
  ])('%s', (_, lines, expected) => {
    expect(verdict(lines)).toBe(expected)
  })

  it('may be left out in HTTP/1.0 and HTTP/2, and in nothing else', () => {
    expect(verdict([], { httpVersion: '1.0' })).toBe('passes')
    expect(verdict(HTTP2, { httpVersion: '2.0' })).toBe('passes')
    expect(verdict([], { httpVersion: '1.1' })).toBe('400 host')
  })
})

describe(':authority, which HTTP/2 has in place of Host [T-31]', () => {
  const method: [string, string] = [':method', 'GET']
  it.each<[string, [string, string][], string]>([
    ['alone', [[':authority', 'web.test:8443']], 'passes'],
    [
      'beside an equal Host',
      [
        [':authority', 'web.test'],
        ['host', 'WEB.test'],
      ],
      'passes',
    ],
    ['left out beside a Host', [['host', 'web.test']], 'passes'],
    ['left out', [], 'passes'],
    [
      'beside another Host',
      [
        [':authority', 'web.test'],
        ['host', 'evil.test'],
      ],
      '400 host',
    ],
    ['with a path', [[':authority', 'web.test/x']], '400 host'],
    ['with a user', [[':authority', 'a@web.test']], '400 host'],
    ['with a blank', [[':authority', 'a b']], '400 host'],
    ['that is empty', [[':authority', '']], '400 host'],
  ])('%s', (_, lines, expected) => {
    expect(verdict([method, ...lines], { httpVersion: '2.0' })).toBe(expected)
  })
})

describe('the target [T-32] [T-33]', () => {
  it.each<[string, string]>([
    ['/', 'passes'],
    ['/a/../b', 'passes'],
    ['//evil.test/x', 'passes'],
    ['/a?b=/c:d@e', 'passes'],
    ['/%2e%2e/%5c', 'passes'],
    ['/a|b^c{d}', 'passes'],
    ['/\u00e4', 'passes'],
    ['http://web.test/a', 'passes'],
    ['HTTP://WEB.test/a', 'passes'],
    ['https://web.test', 'passes'],
    ['http://web.test?a', 'passes'],
    ['', '400 target'],
    ['a', '400 target'],
    ['?a', '400 target'],
    ['*', '400 target'],
    ['web.test:80', '400 target'],
    ['http://evil.test/a', '400 target'],
    ['http://web.test@evil.test/', '400 target'],
    ['http://user@web.test/', '400 target'],
    ['http://web.test:81/', '400 target'],
    ['http:///a', '400 target'],
    ['http:/a', '400 target'],
    ['ftp://web.test/a', '400 target'],
    ['file:///etc/passwd', '400 target'],
    ['javascript:alert(1)', '400 target'],
    [String.raw`/\evil.test`, '400 target'],
    [String.raw`http://web.test\@evil.test/`, '400 target'],
    ['/a#b', '400 target'],
    ['/a b', '400 target'],
    ['/a\tb', '400 target'],
    ['/a\r\nX: y', '400 target'],
    ['/a\0', '400 target'],
    ['/a\u007f', '400 target'],
  ])('%j: %s', (url, expected) => {
    expect(verdict([HOST], { url })).toBe(expected)
  })

  it('names the host that the client asked for, whatever an edit has put in the place of Host', () => {
    const edited = { edits: { names: new Set(['host']), wire: ['Host', 'web.test'] } }
    const set: [string, string][] = [['Host', 'set.test']]
    expect(verdict(set, { ...edited, url: 'http://web.test/a' })).toBe('passes')
    expect(verdict(set, { ...edited, url: 'http://set.test/a' })).toBe('passes')
    expect(verdict(set, { ...edited, url: 'http://evil.test/a' })).toBe('400 target')
    expect(verdict(set, { edits: { ...edited.edits, wire: [] }, url: 'http://web.test/a' })).toBe(
      '400 target',
    )
  })

  it('* asks about a server as a whole, and a gateway is many', () => {
    expect(verdict([HOST], { url: '*', method: 'OPTIONS' })).toBe('501 target')
    expect(verdict([HOST], { url: '*', method: 'GET' })).toBe('400 target')
  })

  it.each([
    ['/a/../b//c?d#e', '/a/../b//c?d#e'],
    ['//evil.test/x', '//evil.test/x'],
    ['http://web.test/a/../b?c', '/a/../b?c'],
    ['HTTPS://web.test:80/a', '/a'],
    ['http://web.test', '/'],
    ['http://web.test?a', '/?a'],
    ['http://web.test?a=/b', '/?a=/b'],
    ['*', '*'],
  ])('%s goes to a backend as %s', (url, expected) => {
    expect(originForm(url)).toBe(expected)
  })

  it('goes to a backend byte for byte, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map(c => String.fromCharCode(c)) }),
        path => {
          expect(originForm(`/${path}`)).toBe(`/${path}`)
          expect(originForm(`http://web.test/${path}`)).toBe(`/${path}`)
        },
      ),
    )
  })

  it('that passes always begins with a slash at a backend', () => {
    const piece = fc.constantFrom(
      'http',
      's',
      ':',
      '/',
      '//',
      '\\',
      'web.test',
      'evil.test',
      '@',
      '?',
      '#',
      '*',
      '.',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
        const url = pieces.join('')
        fc.pre(verdict([HOST], { url }) === 'passes')
        expect(originForm(url)).toMatch(/^\/[^\\#\s]*$/)
      }),
      { numRuns: 2000 },
    )
  })
})
