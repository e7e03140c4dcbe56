import { describe, expect, it } from 'vitest'
import { parseBackend, parseBackends } from './backend.ts'
import { OptionError } from '../options/option.ts'

function errorOf(value: unknown): OptionError {
  try {
    parseBackend('backends[1]', value)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

const url = 'http://a.test:80'

describe('a backend', () => {
  it('is ready and of weight 1 unless it says otherwise', () => {
    expect(parseBackend('b', { id: 'a', url })).toMatchObject({ id: 'a', weight: 1, state: 'ready' })
    expect(parseBackend('b', { id: 'a', url, weight: 0, state: 'drain' })).toMatchObject({
      weight: 0,
      state: 'drain',
    })
    expect(parseBackend('b', { id: 'a', url, weight: 256, state: 'maint' })).toMatchObject({ weight: 256 })
  })

  it.each([
    ['http://a.test', 'http://a.test/'],
    ['http://a.test:8080/', 'http://a.test:8080/'],
    ['https://[::1]:8443', 'https://[::1]:8443/'],
    ['HTTP://A.test:81', 'http://a.test:81/'],
    ['unix:/run/app.sock', 'unix:/run/app.sock'],
    ['unix:/run/my%20app.sock', 'unix:/run/my%20app.sock'],
  ])('has the url %s', (given, href) => {
    expect(parseBackend('b', { id: 'a', url: given }).url.href).toBe(href)
    expect(parseBackend('b', { id: 'a', url: new URL(given) }).url.href).toBe(href)
  })

  it.each(['a', 'A-Z_09', '0', '__proto__', 'x'.repeat(64)])('has the id %s', id => {
    expect(parseBackend('b', { id, url }).id).toBe(id)
  })

  it.each<[string, Record<string, unknown>, string, string]>([
    ['without an id', { url }, 'id', 'is missing'],
    ['with an empty id', { id: '', url }, 'id', '""'],
    ['with an id of 65 characters', { id: 'x'.repeat(65), url }, 'id', '1 to 64'],
    ['with an id of two lines [T-12]', { id: 'a\r\nSet-Cookie: x', url }, 'id', 'A-Z a-z 0-9'],
    ['with an id that ends with a line feed [T-12]', { id: 'a\n', url }, 'id', 'A-Z a-z 0-9'],
    ['with a semicolon in its id [T-12]', { id: 'a;b', url }, 'id', '"a;b"'],
    ['with a dot in its id', { id: 'a.b', url }, 'id', '"a.b"'],
    ['with a number for an id', { id: 1, url }, 'id', 'got 1;'],
    ['without a url', { id: 'a' }, 'url', 'is missing'],
    ['with a url that is none', { id: 'a', url: 'a.test:80x' }, 'url', 'http://host:port'],
    ['with a url of another scheme', { id: 'a', url: 'ftp://a.test' }, 'url', 'ftp://a.test'],
    ['with a file for a url', { id: 'a', url: 'file:///etc/passwd' }, 'url', 'a text of 18 characters'],
    ['with an empty part in its path', { id: 'a', url: `${url}/app//x` }, 'url', 'with a base path'],
    ['with a query', { id: 'a', url: `${url}/app?a=1` }, 'url', 'without query'],
    ['with a query', { id: 'a', url: `${url}/?a` }, 'url', 'query'],
    ['with a fragment', { id: 'a', url: `${url}/#a` }, 'url', 'a text of 16 characters'],
    ['with a user', { id: 'a', url: 'http://me@a.test' }, 'url', 'credentials'],
    ['with a socket of no name', { id: 'a', url: 'unix:/' }, 'url', 'unix:/path'],
    ['with an escape that is none in a socket', { id: 'a', url: 'unix:/a%zz' }, 'url', 'unix:/path'],
    ['with bytes that are no text in a socket', { id: 'a', url: 'unix:/a%ff' }, 'url', 'unix:/path'],
    ['with a NUL in a socket', { id: 'a', url: 'unix:/a%00b' }, 'url', 'unix:/path'],
    ['with a socket on a host', { id: 'a', url: 'unix://host/path' }, 'url', 'unix:/path'],
    ['with a list for a url', { id: 'a', url: [url] }, 'url', 'a list of 1'],
    ['with a weight of 257', { id: 'a', url, weight: 257 }, 'weight', '0 to 256'],
    ['with a negative weight', { id: 'a', url, weight: -1 }, 'weight', '-1'],
    ['with a weight of a half', { id: 'a', url, weight: 0.5 }, 'weight', '0.5'],
    ['with a text for a weight', { id: 'a', url, weight: '1' }, 'weight', '"1"'],
    ['with an unknown state', { id: 'a', url, state: 'up' }, 'state', 'ready, drain, maint'],
    ['with a text for aliases', { id: 'a', url, aliases: 's1' }, 'aliases', 'a list of words'],
    ['with an empty alias', { id: 'a', url, aliases: ['s1', ''] }, 'aliases[1]', '1 to 128'],
    ['with a semicolon in an alias [T-12]', { id: 'a', url, aliases: ['s;1'] }, 'aliases[0]', 'semicolon'],
    ['with two lines in an alias [T-12]', { id: 'a', url, aliases: ['s\r\n1'] }, 'aliases[0]', 'visible'],
    ['with an alias beyond ASCII', { id: 'a', url, aliases: ['ü'] }, 'aliases[0]', 'ASCII'],
    ['with an alias of 129 characters', { id: 'a', url, aliases: ['x'.repeat(129)] }, 'aliases[0]', '128'],
    ['with a number for an alias', { id: 'a', url, aliases: [1] }, 'aliases[0]', 'got 1;'],
    ['with a misspelt key', { id: 'a', url, weigth: 1 }, 'weigth', 'known are id, url, weight, state'],
  ])('%s is refused', (_, value, option, says) => {
    const error = errorOf(value)
    expect(error.option).toBe(`backends[1].${option}`)
    expect(error.message).toContain(`backends[1].${option}`)
    expect(error.message).toContain(says)
  })

  it.each([undefined, null, 'http://a.test', 7, [], () => 1])('is not %s', value => {
    expect(errorOf(value).option).toBe('backends[1]')
  })
})

describe('aliases', () => {
  it.each<[string, string[][], string]>([
    ['an id of another', [['b'], []], 'backends[0].aliases[0]'],
    ['its own id', [['a'], []], 'backends[0].aliases[0]'],
    ['an alias of another', [['s1'], ['s2', 's1']], 'backends[1].aliases[1]'],
    ['its own alias', [['s1', 's1'], []], 'backends[0].aliases[1]'],
  ])('that are %s are refused', (_, [first = [], second = []], option) => {
    const list = [
      { id: 'a', url, aliases: first },
      { id: 'b', url, aliases: second },
    ]
    expect(() => parseBackends('backends', list)).toThrow(expect.objectContaining({ option }))
  })

  it('may have any characters that a cookie may have', () => {
    const aliases = ['a.b', 'x'.repeat(128), '10.0.0.1:80', "!#$%&'()*+-./:<=>?@[]^_`{|}~"]
    expect(parseBackend('b', { id: 'a', url, aliases }).aliases).toEqual(aliases)
  })
})
