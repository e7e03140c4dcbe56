import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { RefusedRequestError, requestHead } from '@limpet/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { clientBody, type ParsedBody } from './client-body.ts'
import { RequestBody } from './request-body.ts'

/** A request that has arrived with all of its body, of which nothing was read yet. */
async function arrived(body: string | Buffer, ...fields: readonly string[]): Promise<IncomingMessage> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    client.destroy()
    server.close()
    server.closeAllConnections()
  })
  const bytes = Buffer.from(body)
  const isChunked = fields.includes('Transfer-Encoding: chunked')
  const head = [
    'POST / HTTP/1.1',
    'Host: a',
    ...(isChunked ? [] : [`Content-Length: ${bytes.length}`]),
    ...fields,
  ]
  client.write(`${head.join('\r\n')}\r\n\r\n`)
  if (!isChunked) client.write(bytes)
  else if (bytes.length === 0) client.write('0\r\n\r\n')
  else
    client.write(
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]),
    )
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  return request
}

/** What is made of a request that was read to its end, with what its reader has left. */
async function bodyAfter(
  parsed: ParsedBody,
  sent: string | Buffer,
  fields: readonly string[] = [],
  limit = Infinity,
): Promise<unknown> {
  const request = await arrived(sent, ...fields)
  await buffer(request)
  try {
    return clientBody(request, requestHead(request), parsed, limit, () => {})
  } catch (error) {
    if (error instanceof RefusedRequestError) return [error.statusCode, error.reason]
    throw error
  }
}

const REFUSED = [500, 'body_parsed']
const CHUNKED = 'Transfer-Encoding: chunked'
const JSON_TYPE = 'Content-Type: application/json'

describe('a body that nobody has read', () => {
  it.each([[], [CHUNKED]])('is the stream itself %s', async (...fields) => {
    let progress = 0
    const request = await arrived('hello', ...fields)
    const body = clientBody(
      request,
      requestHead(request),
      { body: 'other', rawBody: Buffer.from('other') },
      5,
      () => (progress += 1),
    )
    expect(body).toBeInstanceOf(RequestBody)
    expect(String(await buffer(body as RequestBody))).toBe('hello')
    expect(progress).toBeGreaterThan(0)
  })

  it('is refused when it announces more than the limit, and is not touched', async () => {
    const request = await arrived('hello!')
    expect(() => clientBody(request, requestHead(request), {}, 5, () => {})).toThrow(
      expect.objectContaining({ statusCode: 413, reason: 'body_limit' }),
    )
    expect(request.readableDidRead).toBe(false)
  })

  it('may be more than the limit where it announces nothing: then it ends there', async () => {
    const request = await arrived('hello!', CHUNKED)
    const body = clientBody(request, requestHead(request), {}, 5, () => {})
    await expect(buffer(body as RequestBody)).rejects.toMatchObject({ statusCode: 413, reason: 'body_limit' })
  })
})

describe('a body that was read', () => {
  it.each([[], [CHUNKED]])('is nothing when there was nothing %s', async (...fields) => {
    expect(await bodyAfter({ body: {} }, '', fields)).toEqual(Buffer.alloc(0))
    expect(await bodyAfter({}, '', fields)).toEqual(Buffer.alloc(0))
  })

  it('is the bytes that were kept, in whatever was parsed first', async () => {
    const bytes = Buffer.from([0, 255, 0xc3])
    for (const fields of [[], [CHUNKED]]) {
      expect(await bodyAfter({ body: { a: 1 }, rawBody: bytes }, bytes, fields)).toBe(bytes)
      expect(await bodyAfter({ body: bytes }, bytes, fields)).toBe(bytes)
      expect(await bodyAfter({ body: bytes, rawBody: 'other' }, bytes, fields)).toBe(bytes)
      expect(await bodyAfter({ body: Buffer.from('xyz'), rawBody: bytes }, bytes, fields)).toBe(bytes)
    }
  })

  it('is not what has another length, or has been inflated', async () => {
    const [four, five] = [Buffer.from('four'), Buffer.from('fives')]
    expect(await bodyAfter({ rawBody: four }, five)).toEqual(REFUSED)
    expect(await bodyAfter({ rawBody: five }, four)).toEqual(REFUSED)
    for (const fields of [['Content-Encoding: gzip'], ['Content-Encoding: gzip', CHUNKED]]) {
      expect(await bodyAfter({ rawBody: four }, four, fields)).toEqual(REFUSED)
      expect(await bodyAfter({ body: 'four' }, four, fields)).toEqual(REFUSED)
      expect(await bodyAfter({ body: { a: 1 } }, '{"a":1}', [JSON_TYPE, ...fields])).toEqual(REFUSED)
    }
  })

  it('is the text that was decoded from UTF-8, whatever it was parsed to', async () => {
    const text = '{ "\u00e4": 1e2 }'
    expect(await bodyAfter({ rawBody: text, body: { a: 100 } }, text, [JSON_TYPE])).toEqual(Buffer.from(text))
    expect(await bodyAfter({ body: text }, text)).toEqual(Buffer.from(text))
    expect(await bodyAfter({ body: '' }, 'x')).toEqual(REFUSED)
    // Nothing tells that this is all of it.
    expect(await bodyAfter({ body: text }, text, [CHUNKED])).toEqual(REFUSED)
  })

  it.each([
    ['', true],
    ['; charset=utf-8', true],
    [';charset=UTF8', true],
    [' ; a=b; charset = "utf-8"; c=d', true],
    ['; charset=utf-16', false],
    ['; charset="gbk"', false],
    ['; charset=utf-7', false],
    ['; a=b; Charset=latin1', false],
    ['; charset=', false],
  ])('is text of charset %j: %j', async (parameter, isKnown) => {
    // Of the same length in UTF-8 and in others.
    const told = await bodyAfter({ body: '\u00e9' }, '\u00e9', [`Content-Type: text/plain${parameter}`])
    expect(told).toEqual(isKnown ? Buffer.from('\u00e9') : REFUSED)
  })

  it('is no text that has lost something on the way', async () => {
    expect(await bodyAfter({ body: '\ufffd' }, '\ufffd')).toEqual(REFUSED)
    expect(await bodyAfter({ body: 'abc' }, '\ufeffabc')).toEqual(REFUSED)
  })

  it.each([
    'application/json',
    'Application/JSON ; charset=utf-8',
    'application/vnd.api+json',
    'application/problem+json;v=1',
  ])('is JSON again where the type says that it was: %s', async type => {
    const sent = '{"a":[1,-2.5,true,null,"x",{}]}'
    expect(await bodyAfter({ body: JSON.parse(sent) }, sent, [`Content-Type: ${type}`])).toEqual(
      Buffer.from(sent),
    )
  })

  it.each([
    'text/plain',
    'application/jsonp',
    'application/x-www-form-urlencoded',
    'text/json',
    'a/b; c=application/json',
  ])('is not JSON where the type says something else: %s', async type => {
    expect(await bodyAfter({ body: { a: 1 } }, '{"a":1}', [`Content-Type: ${type}`])).toEqual(REFUSED)
  })

  it.each<[string, unknown]>([
    ['9007199254740991', 9_007_199_254_740_991],
    ['-9007199254740991', -9_007_199_254_740_991],
    ['0.12345678901234', 0.123_456_789_012_34],
    ['1E2', 100],
    ['null', null],
  ])('may be the number %s', async (sent, body) => {
    const told = await bodyAfter({ body }, sent, [JSON_TYPE])
    expect(told).toEqual(Buffer.from(JSON.stringify(body)))
  })

  it.each<[string, unknown]>([
    ['9007199254740993', 9_007_199_254_740_992],
    ['0.1234567890123456', 0.123_456_789_012_345_6],
    // Two of them, so that the length is right.
    ['[-0,1e3]', [-0, 1000]],
    ['[1e999,1e3]', [Infinity, 1000]],
    ['[-1e999,1e4]', [-Infinity, 10_000]],
    ['null', Number.NaN],
    ['[null]', [undefined]],
  ])('may not be the number %s, which may have been another', async (sent, body) => {
    expect(await bodyAfter({ body }, sent, [JSON_TYPE])).toEqual(REFUSED)
  })

  it('is refused when nothing is left of it, and the message says what helps', async () => {
    const request = await arrived('hello')
    await buffer(request)
    for (const parsed of [{}, { body: undefined, rawBody: null }, { body: {} }, { body: Symbol('x') }]) {
      expect(() => clientBody(request, requestHead(request), parsed, Infinity, () => {})).toThrow(
        expect.objectContaining({
          code: 'ERR_REFUSED_REQUEST',
          statusCode: 500,
          reason: 'body_parsed',
          message: expect.stringMatching(
            /mount limpet before body parsers, or keep the bytes in request\.rawBody/,
          ),
        }),
      )
    }
  })

  it('may not be more than the limit either', async () => {
    const bytes = Buffer.alloc(6)
    expect(await bodyAfter({ body: bytes }, bytes, [], 6)).toBe(bytes)
    expect(await bodyAfter({ body: bytes }, bytes, [], 5)).toEqual([413, 'body_limit'])
    expect(await bodyAfter({ body: bytes }, bytes, [CHUNKED], 5)).toEqual([413, 'body_limit'])
  })
})
