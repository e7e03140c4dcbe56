import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { requestHead } from '@limpet/core'
import { RefusedRequestError } from '@limpet/core/adapter'
import { describe, expect, it } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { clientBody } from './client-body.ts'
import type { ParsedBody } from './parsed-body.ts'
import { RequestBody } from './request-body.ts'

/** A request that has arrived with all of its body, of which nothing was read yet. */
async function arrived(body: string | Buffer, ...fields: readonly string[]): Promise<IncomingMessage> {
  const server = createServer()
  const client = await connectedTo(server)
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

/** The result for a request that was read to its end, with the values that its reader has left. */
async function bodyAfter(
  parsed: ParsedBody,
  sent: string | Buffer,
  fields: readonly string[] = [],
  limit = Infinity,
): Promise<unknown> {
  const request = await arrived(sent, ...fields)
  await buffer(request)
  try {
    return clientBody(request, requestHead(request), parsed, limit, () => {}).body
  } catch (error) {
    if (error instanceof RefusedRequestError) return [error.statusCode, error.reason]
    throw error
  }
}

const REFUSED = [500, 'body_parsed']
const CHUNKED = 'Transfer-Encoding: chunked'
const JSON_TYPE = 'Content-Type: application/json'

describe('an unread body', () => {
  it.each([[], [CHUNKED]])('is the stream itself %s', async (...fields) => {
    let progress = 0
    const request = await arrived('hello', ...fields)
    const { body } = clientBody(
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
    const { body } = clientBody(request, requestHead(request), {}, 5, () => {})
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

  it('is not bytes of another length, of which a part is missing', async () => {
    const [four, five] = [Buffer.from('four'), Buffer.from('fives')]
    expect(await bodyAfter({ rawBody: four }, five)).toEqual(REFUSED)
    expect(await bodyAfter({ body: five }, four)).toEqual(REFUSED)
  })

  it('is without its coding where a parser has inflated it', async () => {
    const gzip = 'Content-Encoding: gzip'
    const coded = gzipSync('{"a":1}')
    for (const fields of [
      [JSON_TYPE, gzip, 'X-A: 1'],
      [JSON_TYPE, gzip, 'X-A: 1', CHUNKED],
    ]) {
      const request = await arrived(coded, ...fields)
      await buffer(request)
      for (const parsed of [
        { body: { a: 1 } },
        { rawBody: '{"a":1}' },
        { rawBody: Buffer.from('{"a":1}') },
      ]) {
        const { head, body } = clientBody(request, requestHead(request), parsed, Infinity, () => {})
        expect(body).toEqual(Buffer.from('{"a":1}'))
        expect(head.headers).not.toHaveProperty('content-encoding')
        expect(head.rawHeaders).not.toContain('Content-Encoding')
        expect(head.rawHeaders).toContain('X-A')
        expect(head.headers['content-length']).toBe(fields.includes(CHUNKED) ? undefined : '7')
      }
      // As it came: an application has kept the bytes by itself.
      const { head, body } = clientBody(request, requestHead(request), { rawBody: coded }, Infinity, () => {})
      expect([body, head.headers['content-encoding']]).toEqual([coded, 'gzip'])
    }
  })

  it('keeps the coding that an application has set', async () => {
    const request = await arrived(gzipSync('{}'), JSON_TYPE, 'Content-Encoding: gzip')
    await buffer(request)
    request.headers['content-encoding'] = 'br'
    const { head } = clientBody(request, requestHead(request), { body: {} }, Infinity, () => {})
    expect(head.headers['content-encoding']).toBe('br')
  })

  it('is the text that was decoded, whatever it was parsed to', async () => {
    const text = '{ "\u00e4": 1e2 }'
    for (const fields of [[JSON_TYPE], [JSON_TYPE, CHUNKED]])
      expect(await bodyAfter({ rawBody: text, body: { a: 100 } }, text, fields)).toEqual(Buffer.from(text))
    expect(await bodyAfter({ body: text }, text)).toEqual(Buffer.from(text))
    expect(await bodyAfter({ body: text }, text, [CHUNKED])).toEqual(Buffer.from(text))
    // An application may have changed it, and a parser leaves out the mark before it.
    expect(await bodyAfter({ body: 'abc' }, '\ufeffabc')).toEqual(Buffer.from('abc'))
  })

  it.each([
    ['', 'utf8'],
    ['; charset=utf-8', 'utf8'],
    [';charset=UTF8', 'utf8'],
    [' ; a=b; charset = "utf-8"; c=d', 'utf8'],
    ['; a=b; Charset=latin1', 'latin1'],
    ['; charset="ISO-8859-1"', 'latin1'],
    ['; charset=utf-16', undefined],
    ['; charset="gbk"', undefined],
    ['; charset=utf-7', undefined],
    ['; charset=', undefined],
  ] as const)('is text of charset %j: %j', async (parameter, encoding) => {
    const told = await bodyAfter({ body: '\u00e9' }, '\u00e9', [`Content-Type: text/plain${parameter}`])
    expect(told).toEqual(encoding === undefined ? REFUSED : Buffer.from('\u00e9', encoding))
  })

  it('is no text that has lost something on the way', async () => {
    expect(await bodyAfter({ body: '\ufffd' }, '\ufffd')).toEqual(REFUSED)
    expect(await bodyAfter({ rawBody: '\ufffd' }, '\ufffd')).toEqual(REFUSED)
    const latin = ['Content-Type: text/plain; charset=latin1']
    expect(await bodyAfter({ body: '\u20ac' }, 'x', latin)).toEqual(REFUSED)
  })

  it.each([
    'application/json',
    'Application/JSON ; charset=utf-8',
    'application/vnd.api+json',
    'application/problem+json;v=1',
    'application/csp-report',
  ])('is JSON again where the type says that it was: %s', async type => {
    const sent = '{ "a": [1, -2.50, true, null, "x", {}] }'
    for (const fields of [[], [CHUNKED]]) {
      expect(await bodyAfter({ body: JSON.parse(sent) }, sent, [`Content-Type: ${type}`, ...fields])).toEqual(
        Buffer.from('{"a":[1,-2.5,true,null,"x",{}]}'),
      )
    }
  })

  it.each([
    ['{}', '{}', '{}'],
    ['{}', '"{}"', '"{}"'],
    ['1', '"1"', '"1"'],
  ])('is the JSON text, or the string in it: %s of %s', async (body, sent, told) => {
    expect(await bodyAfter({ body }, sent, [JSON_TYPE])).toEqual(Buffer.from(told))
  })

  it.each(['text/plain', 'application/jsonp', 'application/xml', 'text/json', 'a/b; c=application/json'])(
    'is not JSON where the type says something else: %s',
    async type => {
      expect(await bodyAfter({ body: { a: 1 } }, '{"a":1}', [`Content-Type: ${type}`])).toEqual(REFUSED)
    },
  )

  it.each<[string, unknown]>([
    ['9007199254740991', 9_007_199_254_740_991],
    ['-9007199254740991', -9_007_199_254_740_991],
    ['0.30000000000000004', 0.300_000_000_000_000_04],
    ['1E2', 100],
    ['2.50', 2.5],
    ['1e300', 1e300],
    ['-0', -0],
    ['null', null],
  ])('may be the number %s', async (sent, body) => {
    const told = await bodyAfter({ body }, sent, [JSON_TYPE])
    expect(told).toEqual(Buffer.from(JSON.stringify(body)))
  })

  it.each<[string, unknown]>([
    // An identifier that was rounded: the backend would be told another.
    ['9007199254740993', 9_007_199_254_740_992],
    ['1e999', Infinity],
    ['[-1e999]', [-Infinity]],
    ['null', Number.NaN],
    ['1', 1n],
    ['[]', deep()],
  ])('may not be the number %s, which cannot be written as it was', async (sent, body) => {
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

  it('is refused when it was an upload in parts', async () => {
    const type = 'Content-Type: multipart/form-data; boundary=x'
    expect(await bodyAfter({ body: { a: '1' } }, '--x--', [type])).toEqual(REFUSED)
  })

  it('may not be more than the limit either', async () => {
    const bytes = Buffer.alloc(6)
    expect(await bodyAfter({ body: bytes }, bytes, [], 6)).toBe(bytes)
    expect(await bodyAfter({ body: bytes }, bytes, [], 5)).toEqual([413, 'body_limit'])
    expect(await bodyAfter({ body: bytes }, bytes, [CHUNKED], 5)).toEqual([413, 'body_limit'])
  })
})

/** Deeper than any stack. */
function deep(): unknown {
  let value: unknown = 1
  for (let depth = 0; depth < 100_000; depth += 1) value = [value]
  return value
}
