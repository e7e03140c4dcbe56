import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { createGzip, gunzipSync } from 'node:zlib'
import { limpet } from '@limpet/koa'
import type { Middleware } from 'koa'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask, open } from '../support/http-client.ts'
import { bare, echoWith } from '../support/scripts.ts'
import { after, pool, start } from '../support/koa-app.ts'

describe('outer middleware', () => {
  test('sees status, headers and a stream when the answer is here', async () => {
    const w1 = await startBackend('w1', echoWith(418, { 'X-Backend': '1', 'X-Two': ['1', '2'], ETag: '"1"' }))
    const seen: unknown[] = []
    const look = after(ctx => {
      const { status, type, length, body, respond, headerSent } = ctx
      seen.push(status, type, length, body instanceof Readable, respond, headerSent)
      seen.push(ctx.response.get('X-Backend'), ctx.response.get('X-Two'), ctx.response.etag)
    })
    const answer = await ask(await start(look, limpet(poolOf(w1))))
    expect(answer.status).toBe(418)
    const length = Number(answer.header('content-length'))
    expect(length).toBe(answer.body.length)
    expect(seen).toEqual([418, 'application/json', length, true, undefined, false, '1', ['1', '2'], '"1"'])
  })

  test.each<[string, Backend['script']]>([
    ['a short answer', echoWith(200, { 'X-Backend': '1', 'X-Secret': '1' })],
    [
      'a stream that has not begun',
      ({ response }) => {
        const fields = { 'X-Backend': '1', 'X-Secret': '1', 'Content-Type': 'text/event-stream' }
        response.writeHead(200, fields).flushHeaders()
      },
    ],
    ['no body', bare(204, { 'X-Backend': '1', 'X-Secret': '1' })],
  ])('may change the head of %s, before and after', async (_, script) => {
    const w1 = await startBackend('w1', script)
    const change: Middleware = async (ctx, next) => {
      ctx.set('X-Before', '1')
      ctx.cookies.set('before', '1', { httpOnly: false })
      await next()
      // A middleware may take its time.
      await new Promise(resolve => {
        setImmediate(resolve)
      })
      ctx.set('X-After', '1')
      ctx.remove('X-Secret')
      ctx.cookies.set('after', '1')
      ctx.append('Set-Cookie', 'appended=1')
    }
    const { message } = await open(await start(change, limpet(poolOf(w1))))
    const { headers } = message
    for (const name of ['x-before', 'x-after', 'x-backend']) expect(headers[name]).toBe('1')
    expect(headers['x-secret']).toBeUndefined()
    const names = headers['set-cookie']?.map(line => line.split('=')[0])
    expect(names).toHaveLength(4)
    expect(names).toEqual(expect.arrayContaining(['SERVERID', 'after', 'appended', 'before']))
    message.destroy()
  })

  test("its cookies and the backend's are a line each", async () => {
    const w1 = await startBackend('w1', echoWith(200, { 'Set-Cookie': ['c=3; Path=/', 'd=4'] }))
    const cookies: Middleware = async (ctx, next) => {
      ctx.append('Set-Cookie', 'a=1')
      await next()
      ctx.cookies.set('e', '5', { path: '/x', httpOnly: true })
    }
    const answer = await ask(await start(cookies, limpet(poolOf(w1))))
    const lines = valuesOf(answer.lines, 'set-cookie').filter(line => !line.startsWith('SERVERID'))
    expect(lines).toEqual(['a=1', 'c=3; Path=/', 'd=4', 'e=5; path=/x; httponly'])
    expect(answer.cookies('SERVERID')).toHaveLength(1)
  })

  test.each([
    ['has none, and neither has the backend', undefined, undefined, undefined],
    ['has none', 'text/x-app', undefined, 'text/x-app'],
    ['has one', 'text/x-app', 'text/x-backend', 'text/x-backend'],
    ['has none, and the app has JSON', 'application/json', undefined, 'application/json'],
  ])('has the word on the type when the backend %s', async (_, app, backend, told) => {
    const w1 = await startBackend('w1', ({ response }) => {
      response.writeHead(200, backend === undefined ? {} : { 'Content-Type': backend })
      response.write('x', () => response.end('y'))
    })
    const port = await start(
      async (ctx, next) => {
        if (app !== undefined) ctx.set('Content-Type', app)
        await next()
      },
      limpet(poolOf(w1)),
    )
    const answer = await ask(port)
    expect([answer.header('content-type'), answer.text]).toEqual([told, 'xy'])
    const head = await ask(port, { method: 'HEAD' })
    expect([head.header('content-type'), head.header('content-length')]).toEqual([told, undefined])
  })

  test('may leave a short answer alone: it goes out as it came, in one piece', async () => {
    const w1 = await startBackend('w1', ({ response }) => {
      response.removeHeader('Date')
      response.writeHead(200, { 'X-Backend': '1' })
      response.write('in two ')
      response.end('pieces')
    })
    const port = await start(
      after(ctx => ctx.set('X-App', '1')),
      limpet(poolOf(w1)),
    )
    for (let count = 0; count < 3; count += 1) {
      const answer = await ask(port)
      const fields = ['x-backend', 'x-app', 'content-type'].map(name => answer.header(name))
      expect([answer.text, ...fields]).toEqual(['in two pieces', '1', '1', undefined])
    }
    expect(w1.connections).toBe(1)
  })

  test('may send another stream, made of this one', async () => {
    const w1 = await startBackend('w1', ({ response }) => void response.end('hello '.repeat(1000)))
    const gzip = after(ctx => {
      ctx.set('Content-Encoding', 'gzip')
      ctx.body = (ctx.body as Readable).pipe(createGzip())
    })
    const answer = await ask(await start(gzip, limpet(poolOf(w1))))
    expect(gunzipSync(answer.body).toString()).toBe('hello '.repeat(1000))
    expect([answer.header('content-length'), answer.complete]).toEqual([undefined, true])
  })

  test('may read it all and answer something else, and its connection is used again', async () => {
    const w1 = await startBackend('w1')
    const shout = after(async ctx => {
      ctx.body = (await buffer(ctx.body as Readable)).toString().toUpperCase()
    })
    const port = await start(shout, limpet(poolOf(w1)))
    expect((await ask(port)).text).toContain('"ID":"W1"')
    expect((await ask(port)).text).toContain('"ID":"W1"')
    expect(w1.connections).toBe(1)
  })

  test('may throw it away, which is not the fault of the backend', async () => {
    const w1 = await startBackend('w1', ({ response }) => void response.write('x'.repeat(1000)))
    const { affinity, middleware } = pool([w1])
    const sorry = after(ctx => {
      ctx.status = 500
      ctx.body = 'sorry'
    })
    const answer = await ask(await start(sorry, middleware))
    expect([answer.status, answer.text, answer.complete]).toEqual([500, 'sorry', true])
    await w1.last.over
    expect(w1.last.aborted).toBe(true)
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
  })

  test('which refuses, no backend hears of it', async () => {
    const w1 = await startBackend('w1')
    const port = await start(
      async (ctx, next) => (ctx.get('Authorization') === '' ? ctx.throw(401, 'who are you?') : next()),
      limpet(poolOf(w1)),
    )
    const refused = await ask(port, { method: 'POST', body: 'x'.repeat(100_000) })
    expect([refused.status, refused.text, refused.cookies()]).toEqual([401, 'who are you?', []])
    expect(w1.connections).toBe(0)
    expect((await ask(port, { headers: { Authorization: 'me' } })).echo.id).toBe('w1')
  })
})
