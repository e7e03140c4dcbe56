import { describe, expect, it } from 'vitest'
import { type HeaderFields, type NodeRequest, isHttp2, requestedHost, requestHead } from './head.ts'

function message(headers: HeaderFields, more: Partial<NodeRequest> = {}): NodeRequest {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
  return { method: 'GET', url: '/a?b', httpVersion: '1.1', rawHeaders, headers, socket: {}, ...more }
}

describe('the facts of a request', () => {
  it('are what the client wrote and what the socket knows', () => {
    const socket = { remoteAddress: '192.0.2.1', localPort: 8080, encrypted: true }
    expect(requestHead(message({ host: 'x' }, { socket }))).toEqual({
      method: 'GET',
      url: '/a?b',
      httpVersion: '1.1',
      rawHeaders: ['host', 'x'],
      headers: { host: 'x' },
      remoteAddress: '192.0.2.1',
      localPort: 8080,
      encrypted: true,
      hasBody: false,
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
    expect(requestedHost(requestHead(message(headers)))).toBe(expected)
  })
})
