import { gzipSync } from 'node:zlib'
import { limpet } from '@limpet/express'
import type { RequestHandler } from 'express'
import { describe, expect, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { joinedValue } from '../support/header-lines.ts'
import { ask, type Asked } from '../support/http-client.ts'
import { expectExact, expectRefused, sha256 } from '../support/parsed-posts.ts'
import { serve } from '../support/node-app.ts'
import { EXPRESSES, pool } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  describe('after a body parser', () => {
    const JSON_TYPE = { 'Content-Type': 'application/json' }

    async function posted(parser: RequestHandler, asked: Asked) {
      const w1 = await startBackend('w1')
      const { affinity, handler } = pool([w1])
      const port = await serve(express().use(parser, handler))
      return { w1, affinity, answer: await ask(port, { method: 'POST', ...asked }) }
    }

    const keepRaw = express.json({
      strict: false,
      verify: (request, _response, bytes) => {
        Object.assign(request, { rawBody: bytes })
      },
    })

    test.each(['{ "a" :\t1,\r\n "a": 1.0, "b":"\\u00e9\\/" }\n', '1E2', '[10000000000000001]', '{"ä":"€"}'])(
      'that keeps rawBody, every byte arrives: %j',
      async body => {
        expectExact(await posted(keepRaw, { headers: JSON_TYPE, body }), body)
        expectExact(await posted(keepRaw, { headers: JSON_TYPE, body: [Buffer.from(body)] }), body)
      },
    )

    test('that keeps rawBody of a coded body, it arrives inflated and without its coding', async () => {
      const text = `{"a":"${'x'.repeat(500)}"}`
      const body = gzipSync(text)
      const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' }
      for (const parser of [keepRaw, express.raw({ type: () => true })]) {
        for (const sent of [body, [body]]) {
          const told = await posted(parser, { headers, body: sent })
          expectExact(told, text)
          expect(joinedValue(told.w1.last.lines, 'content-encoding')).toBeUndefined()
        }
      }
    })

    test('that keeps a part of it in rawBody, the rest is not made up', async () => {
      const half = express.json({
        verify: (request, _response, bytes) => void Object.assign(request, { rawBody: bytes.subarray(0, 3) }),
      })
      expectRefused(await posted(half, { headers: JSON_TYPE, body: '{"a":1}' }))
    })

    test.each(['POST', 'GET', 'DELETE', 'OPTIONS', 'PROPFIND'])(
      'express.raw, every byte of a %s arrives, in one piece and in chunks',
      async method => {
        const body = Buffer.from([0, 255, 13, 10, 0xc3, 0x28, 7])
        for (const framing of [{ 'Content-Length': body.length }, { 'Transfer-Encoding': 'chunked' }]) {
          const headers = { 'Content-Type': 'application/x', ...framing }
          const told = await posted(express.raw({ type: () => true }), { method, headers, body })
          expectExact(told, body)
          expect(told.w1.malformed).toEqual([])
        }
      },
    )

    test('express.raw, it may not be more than the limit', async () => {
      const w1 = await startBackend('w1')
      const { handler } = pool([w1], { bodyLimit: 10 })
      const port = await serve(express().use(express.raw({ type: () => true }), handler))
      for (const body of [Buffer.alloc(11), [Buffer.alloc(11)]]) {
        const headers = { 'Content-Type': 'application/x' }
        expectOwnAnswer(await ask(port, { method: 'POST', headers, body }), 413)
      }
      expect(w1.seen).toEqual([])
    })

    test.each([
      ['text/plain', ' two\r\nlines\t', 200],
      ['text/plain; charset=utf-8', 'caf\u00e9 \u20ac \u{1f600}', 200],
      ['text/plain; charset="UTF-8"', 'caf\u00e9', 200],
      ['text/plain', 'caf\u00e9', 200],
      ['text/plain; charset=iso-8859-1', Buffer.from('caf\u00e9', 'latin1'), 200],
      ['text/plain; charset=utf-16le', Buffer.from('\u00e9\u00e9', 'utf16le'), 500],
      // Bytes that are no UTF-8 cannot be written again.
      ['text/plain', Buffer.from([0x61, 0xff, 0x62]), 500],
      ['text/plain', Buffer.from('\ufffd'), 500],
    ])('express.text, %s %j is %i', async (type, body, status) => {
      const told = await posted(express.text(), { headers: { 'Content-Type': type }, body })
      if (status === 200) expectExact(told, body)
      else expectRefused(told)
    })

    test.each([
      '{}',
      '[]',
      '{"a":[1,-2.5,true,null,"\\n\\\\\\u0001"],"":{"b":{}}}',
      '{"a":9007199254740991,"b":-9007199254740991,"c":0.1}',
      '{"price":5000,"sum":1200000}',
      '{"name":"J\u00fcrgen \u20ac \u{1f600}"}',
      '{"__proto__":{"a":1}}',
    ])('express.json, what can be written again arrives as it was: %s', async body => {
      expectExact(await posted(express.json(), { headers: JSON_TYPE, body }), body)
      const type = { 'Content-Type': 'application/vnd.api+json; charset=utf-8' }
      expectExact(await posted(express.json({ type: () => true }), { headers: type, body }), body)
    })

    test.each([
      ['odd spacing', '{"a": 1}\n', '{"a":1}'],
      ['an exponent', '[1e3]', '[1000]'],
      ['a zero after the point', '[2.50]', '[2.5]'],
      ['an escape', '{"a":"\\u00e9\\/"}', '{"a":"\u00e9/"}'],
      ['a key that stands twice', '{"a":1,"a":2}', '{"a":2}'],
    ])('express.json, the same value arrives with its own length: %s', async (_, body, written) => {
      expectExact(await posted(express.json(), { headers: JSON_TYPE, body }), written)
      expectExact(await posted(express.json(), { headers: JSON_TYPE, body: [Buffer.from(body)] }), written)
      const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' }
      expectExact(await posted(express.json(), { headers, body: gzipSync(body) }), written)
    })

    test.each([
      ['an integer that is rounded', '[9007199254740993]'],
      ['what is no number any more', '[1e999,1e3]'],
    ])('express.json, a value that is not what was sent is refused: %s', async (_, body) => {
      expectRefused(await posted(express.json(), { headers: JSON_TYPE, body }))
    })

    test('express.json, another charset is refused', async () => {
      const headers = { 'Content-Type': 'application/json; charset=utf-16le' }
      const body = Buffer.from('"\u4e2d\u4e2d"', 'utf16le')
      expectRefused(await posted(express.json({ strict: false }), { headers, body }))
    })

    test('what the application has made of the body is what arrives', async () => {
      const edited = express.Router().use(express.json(), (request, _response, next) => {
        request.body.user = 'alice'
        next()
      })
      const told = await posted(edited, { headers: JSON_TYPE, body: '{"user":"mallory","a":1}' })
      expectExact(told, '{"user":"alice","a":1}')
    })

    test('that has read nothing to its end, nothing arrives', async () => {
      const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
      expectExact(await posted(express.json(), { headers, body: '' }), '')
      expectExact(await posted(keepRaw, { headers, body: '' }), '')
    })

    test('that has not read it, every byte arrives', async () => {
      const body = 'a=1&a=2'
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      expectExact(await posted(express.json(), { headers, body }), body)
      expectExact(await posted(express.json(), { headers: JSON_TYPE, body: '' }), '')
    })

    test('the other way round, every byte arrives and the parser is the next handler’s', async () => {
      const w1 = await startBackend('w1')
      const app = express()
        .use('/pool', limpet(poolOf(w1)))
        .use(express.json(), (request, response) => void response.send({ parsed: request.body }))
      const port = await serve(app)
      const body = '{ "a": 1E2 }'
      const answer = await ask(port, { method: 'POST', path: '/pool', headers: JSON_TYPE, body })
      expect(answer.echo.sha256).toBe(sha256(Buffer.from(body)))
      const own = await ask(port, { method: 'POST', path: '/own', headers: JSON_TYPE, body })
      expect(JSON.parse(own.text)).toEqual({ parsed: { a: 100 } })
    })
  })
})
