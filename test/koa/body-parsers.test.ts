import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { bodyParser } from '@koa/bodyparser'
import { limpet, type LimpetOptions } from '@limpet/koa'
import type { Middleware } from 'koa'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { joinedValue } from '../support/header-lines.ts'
import { ask, type Asked } from '../support/http-client.ts'
import { expectExact, expectRefused, sha256 } from '../support/parsed-posts.ts'
import { pool, start } from '../support/koa-app.ts'

describe('after a body parser', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' }

  async function posted(parser: Middleware, asked: Asked) {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(parser, middleware)
    return { w1, affinity, answer: await ask(port, { method: 'POST', ...asked }) }
  }

  /** A parser that leaves these with Koa's request, and nothing with Node's. */
  function leaving(make: (bytes: Buffer) => { body?: unknown; rawBody?: unknown }): Middleware {
    return async (ctx, next) => {
      Object.assign(ctx.request, make(await buffer(ctx.req)))
      await next()
    }
  }

  test.each([
    ['application/json', '{ "a" :\t1,\r\n "a": 1.0, "b":"\\u00e9\\/" }\n'],
    ['application/json', '{"a":[1E2,10000000000000001],"\u00e4":"\u20ac"}'],
    ['application/x-www-form-urlencoded', 'a=1&a=2&b=%zz&c=+%20'],
    ['text/plain', 'caf\u00e9'],
    ['text/xml; charset=utf-8', '<a\t/>'],
  ])('@koa/bodyparser, every byte arrives: %s, %s', async (type, body) => {
    const parser = bodyParser({ enableTypes: ['json', 'form', 'text', 'xml'] })
    expectExact(await posted(parser, { headers: { 'Content-Type': type }, body }), body)
  })

  test.each([
    ['gzip', { 'Content-Encoding': 'gzip' }, gzipSync('{"a": 1}'), '{"a": 1}'],
    ['in chunks', {}, [Buffer.from('{"a": 1}')], '{"a": 1}'],
    ['with a mark before it', { 'Content-Type': 'text/plain' }, Buffer.from('\ufeff1'), '1'],
  ])('@koa/bodyparser, the same text arrives: %s', async (_, fields, body, text) => {
    const parser = bodyParser({ enableTypes: ['json', 'text'], jsonStrict: false })
    expectExact(await posted(parser, { headers: { ...JSON_TYPE, ...fields }, body }), text)
  })

  test.each([
    ['bytes that are no UTF-8', {}, Buffer.from([0xff])],
    ['another charset', { 'Content-Type': 'text/plain; charset=gbk' }, Buffer.from('\u00e9')],
  ])('@koa/bodyparser, a text that is not what was sent is refused: %s', async (_, fields, body) => {
    const parser = bodyParser({ enableTypes: ['json', 'text'], jsonStrict: false })
    expectRefused(await posted(parser, { headers: { 'Content-Type': 'text/plain', ...fields }, body }))
  })

  test('@koa/bodyparser, what it has not read arrives as it came', async () => {
    const body = Buffer.from([0, 255, 13, 10])
    const { w1, answer } = await posted(bodyParser(), {
      headers: { 'Content-Type': 'application/x' },
      body: [body],
    })
    expect(answer.echo.sha256).toBe(sha256(body))
    expect(joinedValue(w1.last.lines, 'transfer-encoding')).toBe('chunked')
    const headers = { ...JSON_TYPE, 'Content-Length': body.length }
    expectExact(await posted(bodyParser(), { method: 'DELETE', headers, body }), body)
  })

  test('that leaves the bytes, every one arrives', async () => {
    const body = '{ "a": 1E2, "b": "\\u00e9" }'
    for (const asked of [body, [Buffer.from(body)]]) {
      const raw = leaving(rawBody => ({ body: {}, rawBody }))
      expectExact(await posted(raw, { headers: JSON_TYPE, body: asked }), body)
      expectExact(
        await posted(
          leaving(bytes => ({ body: bytes })),
          { headers: JSON_TYPE, body: asked },
        ),
        body,
      )
    }
  })

  test('that leaves a value alone, it is written again', async () => {
    const parsed = leaving(bytes => ({ body: JSON.parse(String(bytes)) }))
    expectExact(await posted(parsed, { headers: JSON_TYPE, body: '{"a":[1,"x"]}' }), '{"a":[1,"x"]}')
    expectExact(await posted(parsed, { headers: JSON_TYPE, body: '{"a": [1.0,"x"]}' }), '{"a":[1,"x"]}')
    expectRefused(await posted(parsed, { headers: JSON_TYPE, body: '[10000000000000001]' }))
  })

  test('that leaves nothing, it is refused rather than waited for', async () => {
    expectRefused(
      await posted(
        leaving(() => ({})),
        { headers: JSON_TYPE, body: '{}' },
      ),
    )
  })

  test('the other way round, every byte arrives and the parser is the next middleware’s', async () => {
    const w1 = await startBackend('w1')
    const filter: LimpetOptions['filter'] = ({ url }) => url === '/pool'
    const port = await start(limpet({ ...poolOf(w1), filter }), bodyParser(), ctx => {
      ctx.body = { parsed: ctx.request.body }
    })
    const body = '{ "a": 1E2 }'
    const answer = await ask(port, { method: 'POST', path: '/pool', headers: JSON_TYPE, body })
    expect(answer.echo.sha256).toBe(sha256(Buffer.from(body)))
    const own = await ask(port, { method: 'POST', path: '/own', headers: JSON_TYPE, body })
    expect(JSON.parse(own.text)).toEqual({ parsed: { a: 100 } })
  })
})
