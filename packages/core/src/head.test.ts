import { describe, expect, it } from 'vitest'
import { InvalidEditError } from './errors.ts'
import { type HeaderFields, type NodeRequest, isHttp2, requestedHost, requestHead } from './head.ts'

function message(headers: HeaderFields, more: Partial<NodeRequest> = {}): NodeRequest {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
  return { method: 'GET', url: '/a?b', httpVersion: '1.1', rawHeaders, headers, socket: {}, ...more }
}

describe('the facts of a request', () => {
  it('come from the client’s head and the socket', () => {
    const socket = { remoteAddress: '192.0.2.1', localPort: 8080, encrypted: true }
    const given = message({ host: 'x' }, { socket })
    expect(requestHead(given)).toEqual({
      method: 'GET',
      url: '/a?b',
      httpVersion: '1.1',
      rawHeaders: ['host', 'x'],
      headers: { host: 'x' },
      remoteAddress: '192.0.2.1',
      localPort: 8080,
      encrypted: true,
      hasBody: false,
      nominated: new Set(),
      message: given,
    })
  })

  it.each([undefined, false, 'yes', 1])('are of a plain socket when its word on TLS is %s', encrypted => {
    expect(requestHead(message({}, { socket: { encrypted } })).encrypted).toBe(false)
  })

  it('are empty where the message says nothing', () => {
    const facts = requestHead(message({}, { method: undefined, url: undefined }))
    expect(facts).toMatchObject({ method: '', url: '', remoteAddress: undefined, localPort: undefined })
  })

  it.each<[HeaderFields, boolean]>([
    [{}, false],
    [{ 'content-length': '0' }, false],
    [{ 'content-length': '1' }, true],
    [{ 'transfer-encoding': 'chunked' }, true],
    [{ 'transfer-encoding': 'chunked', 'content-length': '0' }, true],
  ])('tell from %j that there is a body: %s', (headers, expected) => {
    expect(requestHead(message(headers)).hasBody).toBe(expected)
  })

  it.each<[HeaderFields, boolean, boolean]>([
    [{}, true, false],
    [{}, false, true],
    [{ 'content-length': '0' }, false, false],
    [{ 'content-length': '5' }, false, true],
  ])(
    'of HTTP/2 tell from %j and a stream that ends with its head (%s) that there is a body: %s',
    (headers, ends, body) => {
      const stream = { endAfterHeaders: ends }
      expect(requestHead(message({ ':method': 'POST', ...headers }, { stream })).hasBody).toBe(body)
    },
  )

  it.each<[HeaderFields, boolean]>([
    [{ ':method': 'GET' }, true],
    [{ host: 'a.test' }, false],
  ])('tell from %j that it is of HTTP/2: %s', (headers, expected) => {
    expect(isHttp2(requestHead(message(headers, { httpVersion: '2.0' })))).toBe(expected)
  })

  it.each<[HeaderFields, string | undefined]>([
    [{ host: 'a.test' }, 'a.test'],
    [{ ':authority': 'b.test' }, 'b.test'],
    [{ host: 'a.test', ':authority': 'b.test' }, 'a.test'],
    [{ host: ['a.test', 'b.test'] }, undefined],
    [{}, undefined],
  ])('tell from %j the host that was asked for: %s', (headers, expected) => {
    expect(requestedHost({ ...requestHead(message({})), headers })).toBe(expected)
  })

  it('have the target that the application has written', () => {
    const edited = message({ host: 'x' }, { url: '/new', originalUrl: '/old' })
    expect(requestHead(edited).url).toBe('/new')
    expect(requestHead(edited, { url: '/view' }).url).toBe('/view')
  })

  it.each([
    '',
    'x',
    '?a',
    '*',
    'http://evil.test/',
    '/a b',
    '/a\r\nX: y',
    '/\0',
    '/\u{10a}X',
    '/a#b',
    '/\\b',
    undefined,
    7,
  ])('cannot have %j for a target that the application has written', url => {
    const edited = message({ host: 'x' }, { url: url as string, originalUrl: '/old' })
    const field = { code: 'ERR_INVALID_EDIT', statusCode: 500, field: 'url' }
    expect(() => requestHead(edited)).toThrow(expect.objectContaining(field))
  })

  it.each([
    ['x-a', ':path'],
    [':authority', ':path'],
  ])('find the target of HTTP/2 by its name, whatever %s says', (name, value) => {
    const rawHeaders = [':method', 'GET', name, value, 'x-b', '/old', ':path', '/old']
    const headers = { ':method': 'GET', [name]: value, 'x-b': '/old', ':path': '/old' }
    const edited = message(headers, { url: 'x', rawHeaders, stream: {} })
    expect(() => requestHead(edited)).toThrow(expect.objectContaining({ field: 'url' }))
    expect(requestHead({ ...edited, url: '/old' }).url).toBe('/old')
    const malformed = [...rawHeaders.slice(0, -1), '/a#b']
    expect(requestHead({ ...edited, url: '/a#b', rawHeaders: malformed }).url).toBe('/a#b')
  })

  it('keep a malformed target of the client, which is refused later', () => {
    for (const url of ['x', '/a#b', '*']) expect(requestHead(message({}, { url })).url).toBe(url)
    expect(requestHead(message({}, { url: '/\u0001', originalUrl: '/\u0001' })).url).toBe('/\u0001')
    expect(() => requestHead(message({}, { url: '/\u0001' }))).toThrow(InvalidEditError)
  })

  it('read the body from the wire, whatever the application has made of its length', () => {
    const wire = message({ host: 'x', 'content-length': '5' })
    for (const headers of [{ host: 'x' }, { host: 'x', 'content-length': '0' }, {}]) {
      const head = requestHead({ ...wire, headers })
      expect([head.hasBody, head.headers['content-length']]).toEqual([true, '5'])
    }
    const bare = requestHead({
      ...message({ host: 'x' }),
      headers: { host: 'x', 'transfer-encoding': 'chunked' },
    })
    expect([bare.hasBody, bare.headers['transfer-encoding']]).toEqual([false, undefined])
  })

  it('are read from the fields that a framework keeps elsewhere', () => {
    const head = requestHead(message({ host: 'x', 'x-a': '1' }), { headers: { host: 'x', 'x-a': '2' } })
    expect(head.rawHeaders).toEqual(['host', 'x', 'x-a', '2'])
  })
})
