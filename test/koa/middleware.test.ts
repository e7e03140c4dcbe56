import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGzip, gunzipSync, gzipSync } from 'node:zlib'
import { bodyParser } from '@koa/bodyparser'
import { createAffinity, isAffinityError } from '@limpet/core'
import { limpet, type LimpetOptions } from '@limpet/koa'
import Koa, { type Context, type Middleware } from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { SECRET } from '../contract/start.ts'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { namedPool, poolOf } from '../support/fastify-app.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { ask, type Asked, open } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw } from '../support/raw-client.ts'
import { bare, echoWith, hang, resetBeforeHead, resetMidBody } from '../support/scripts.ts'

/** Middleware before a pool of these backends, and what one can see of it. */
function pool(backends: readonly Backend[], options: Partial<LimpetOptions> = {}) {
  const affinity = createAffinity(poolOf(...backends))
  return { affinity, middleware: limpet({ use: affinity, ...options }) }
}

/** An app of these, in this order, and the errors that came to its `error` event. */
function appOf(...middlewares: readonly Middleware[]) {
  const app = new Koa()
  const errors: unknown[] = []
  app.on('error', error => errors.push(error))
  for (const middleware of middlewares) app.use(middleware)
  return { app, errors }
}

async function start(...middlewares: readonly Middleware[]): Promise<number> {
  return serve(appOf(...middlewares).app.callback())
}

/** Middleware that looks at what those after it have done. */
function after(look: (ctx: Context) => unknown): Middleware {
  return async (ctx, next) => {
    await next()
    await look(ctx)
  }
}

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

/** Each of our errors, and how to come by it. */
const ERRORS: readonly [name: string, status: number, code: string, prepare: Prepare, asked: Asked][] = [
  ['an empty pool', 503, 'ERR_NO_BACKEND', w1 => w1.affinity.pool.remove('w1'), {}],
  ['a backend that is gone', 502, 'ERR_BACKEND_FAILED', async w1 => w1.backend.refuse(), {}],
  ['a backend that dies', 502, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = resetBeforeHead), {}],
  ['a backend that hangs', 504, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = hang), {}],
  ['a wrong Host', 400, 'ERR_REFUSED_REQUEST', () => undefined, { headers: { Host: 'a/b' } }],
  ['too much', 413, 'ERR_REFUSED_REQUEST', () => undefined, { method: 'POST', body: 'x'.repeat(101) }],
]

/** Of those: the request may come again. */
function hasReachedNobody(name: string): boolean {
  return /empty|gone/.test(name)
}

type Prepare = (w1: { backend: Backend; affinity: ReturnType<typeof createAffinity> }) => unknown

describe('errors', () => {
  async function failure(prepare: Prepare, asked: Asked, ...outer: readonly Middleware[]) {
    const backend = await startBackend('w1')
    const { affinity, middleware } = pool([backend], { timeouts: { response: 200 }, bodyLimit: 100 })
    const { app, errors } = appOf(...outer, middleware)
    const port = await serve(app.callback())
    await prepare({ backend, affinity })
    return { answer: await ask(port, asked), errors }
  }

  test.each(ERRORS)(
    'can be caught by outer middleware: %s, %i',
    async (name, status, code, prepare, asked) => {
      const { answer, errors } = await failure(prepare, asked, async (ctx, next) => {
        try {
          await next()
        } catch (error) {
          if (!isAffinityError(error)) throw error
          const { message, stack, expose, headers } = error
          ctx.status = error.status
          ctx.set(headers)
          ctx.body = { code: error.code, statusCode: error.statusCode, message, stack, expose, headers }
        }
      })
      expect(answer.status).toBe(status)
      const shown = JSON.parse(answer.text)
      expect(shown).toMatchObject({ code, statusCode: status, expose: true })
      expect(shown.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      expect(`${shown.message} ${shown.stack}`).not.toMatch(/127\.0\.0\.1|localhost|:\d|E[A-Z]{4,}|\n|w1/)
      expect([answer.header('retry-after'), errors]).toEqual([hasReachedNobody(name) ? '1' : undefined, []])
    },
  )

  test.each(ERRORS)(
    'that no middleware catches come to the app, and %s is %i',
    async (name, status, code, prepare, asked) => {
      const addCookie: Middleware = async (ctx, next) => {
        ctx.cookies.set('a', '1')
        await next()
      }
      const { answer, errors } = await failure(prepare, asked, addCookie)
      expectOwnAnswer(answer, status)
      expect(answer.header('retry-after')).toBe(hasReachedNobody(name) ? '1' : undefined)
      expect(answer.header('content-type')).toBe('text/plain; charset=utf-8')
      expect(answer.text).not.toMatch(/\bat\b|w1|\n/)
      expect(errors).toEqual([expect.objectContaining({ status, statusCode: status, code })])
    },
  )

  test('a client that is still sending is told at once', async () => {
    const port = await start(limpet(poolOf()))
    const client = await openRaw(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nfirst')
    await client.until(received => received.includes('no backend is available'))
    expect(client.received).toMatch(/^HTTP\/1\.1 503 /)
  })

  test('an answer that is cut in the middle reaches the client as one that is cut', async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(middleware)
    for (const framing of ['chunked', 'content-length'] as const) {
      w1.script = resetMidBody(framing)
      const answer = await ask(port)
      expect([answer.status, answer.text, answer.complete]).toEqual([200, '0123456789', false])
    }
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 2 })
  })

  test('there is none when a client leaves early', async () => {
    const w1 = await startBackend('w1', hang)
    const { affinity, middleware } = pool([w1])
    const left: unknown[] = []
    const { app, errors } = appOf(async (ctx, next) => {
      await next()
      left.push(ctx.body)
    }, middleware)
    const port = await serve(app.callback())
    const heads = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst',
    ]
    for (const head of heads) {
      const client = await openRaw(port)
      client.write(head)
      const seen = await w1.arrival(w1.seen.length + 1)
      // Of a reset Koa hears by itself.
      client.socket.destroy()
      await seen.over
      expect(seen.aborted).toBe(true)
    }
    await expect.poll(() => left).toEqual([undefined, undefined])
    expect([errors, affinity.pool.find('w1')?.failures]).toEqual([[], 0])
  })

  test("an answer to HEAD, and one without a body, leave the backend's connection free for the next", async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(middleware)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const head = await ask(port, { method: 'HEAD', agent })
    expect([head.status, head.body.length, head.complete]).toEqual([200, 0, true])
    expect(Number(head.header('content-length'))).toBeGreaterThan(50)
    for (const status of [204, 205, 304]) {
      w1.script = bare(status, {
        'X-Backend': '1',
        ETag: '"1"',
        ...(status === 205 && { 'Content-Length': 0 }),
      })
      const answer = await ask(port, { agent })
      expect([answer.status, answer.header('x-backend'), answer.header('etag')]).toEqual([status, '1', '"1"'])
      expect([answer.body.length, answer.complete]).toEqual([0, true])
    }
    w1.script = echoWith(200)
    expect((await ask(port, { agent })).echo.id).toBe('w1')
    expect([w1.seen.length, w1.connections]).toEqual([5, 1])
    await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
  })
})

describe('in an app', () => {
  test('unmatched requests go to the next middleware, or get 404', async () => {
    const w1 = await startBackend('w1')
    const filter: LimpetOptions['filter'] = ({ headers }) => headers['x-api'] !== undefined
    const port = await start(limpet({ ...poolOf(w1), filter }), async (ctx, next) => {
      if (ctx.path === '/own') ctx.body = `own ${String(await buffer(ctx.req))}`
      else await next()
    })
    expect((await ask(port, { path: '/own', headers: { 'X-Api': '1' } })).echo.url).toBe('/own')
    const own = await ask(port, { method: 'POST', path: '/own', body: 'body' })
    expect([own.text, own.cookies()]).toEqual(['own body', []])
    expect((await ask(port, { path: '/none' })).status).toBe(404)
    expect(w1.seen).toHaveLength(1)
  })

  test('what is its own goes no further', async () => {
    const called: unknown[] = []
    const port = await start(limpet(poolOf(await startBackend('w1'))), () => void called.push('next'))
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) await ask(port, { method })
    expect(called).toEqual([])
  })

  /** As koa-mount does it: the path is cut before and put back after. */
  function mount(prefix: string, middleware: Middleware): Middleware {
    return async (ctx, next) => {
      if (!`${ctx.path}/`.startsWith(`${prefix}/`)) return next()
      const { path } = ctx
      Object.assign(ctx, { mountPath: prefix })
      ctx.path = path.slice(prefix.length) || '/'
      await middleware(ctx, async () => {
        ctx.path = path
        await next()
        ctx.path = path.slice(prefix.length) || '/'
      })
      ctx.path = path
    }
  }

  test('mounted at a path, its filter is asked about the whole, and the next middleware’s is cut', async () => {
    const seen: unknown[] = []
    const filter: LimpetOptions['filter'] = ({ url = '' }) => {
      seen.push(url)
      return url.startsWith('/a/ours')
    }
    const ours = limpet({ ...poolOf(await startBackend('w1')), filter })
    const port = await start(mount('/a', async ctx => ours(ctx, async () => void seen.push(ctx.url))))
    expect((await ask(port, { path: '/a/ours?x' })).echo.url).toBe('/a/ours?x')
    await ask(port, { path: '/a/theirs' })
    expect(seen).toEqual(['/a/ours?x', '/a/theirs', '/theirs'])
  })

  test('mounted at a path, backends see the whole', async () => {
    const seen: string[] = []
    const look = after(ctx => seen.push(ctx.path, ctx.originalUrl))
    const port = await start(look, mount('/a', mount('/b', limpet(poolOf(await startBackend('w1'))))))
    for (const path of ['/a/b', '/a/b/', '/a/b/c?d=1&e=%2f', '/a/b//x']) {
      expect((await ask(port, { path })).echo.url).toBe(path)
    }
    for (const path of ['/', '/a', '/a/bc', '/b']) expect((await ask(port, { path })).status).toBe(404)
    expect(seen.slice(4, 6)).toEqual(['/a/b/c', '/a/b/c?d=1&e=%2f'])
  })

  test('a url that earlier middleware has written is what backends see [B2]', async () => {
    const handler = limpet(poolOf(await startBackend('w1')))
    const rewrite =
      (from: RegExp, to: string): Middleware =>
      (ctx, next) => {
        ctx.url = ctx.url.replace(from, to)
        return next()
      }
    const within: Middleware = (ctx, next) => rewrite(/^\/v1/, '/v2')(ctx, () => handler(ctx, next))
    const falls: Middleware = (_ctx, next) => next()
    const port = await start(
      rewrite(/^\/old/, '/new'),
      rewrite(/^\/strip/, ''),
      mount('/falls', falls),
      mount('/shop', within),
      handler,
    )
    const paths = [
      ['/old/x?y=%2f', '/new/x?y=%2f'],
      ['/old', '/new'],
      ['/strip/x', '/x'],
      ['/falls/x', '/falls/x'],
      ['/strip/falls/x', '/falls/x'],
      ['/shop/v1/x?y', '/shop/v2/x?y'],
      ['/shop/x', '/shop/x'],
      ['/shop', '/shop'],
      ['/shop?x', '/shop?x'],
    ]
    for (const [path = '', expected] of paths) expect((await ask(port, { path })).echo.url).toBe(expected)
  })

  test.each(['new', '', '/a b', '/a\r\nX-Evil: 1', 'http://evil.test/', '*'])(
    'a url of %j is an error of the application [B2]',
    async url => {
      const w1 = await startBackend('w1')
      const handler = limpet(poolOf(w1))
      const errors: unknown[] = []
      const port = await start(async (ctx, next) => {
        ctx.url = url
        await handler(ctx, next).catch((error: unknown) => {
          errors.push(error)
          throw error
        })
      })
      expect((await ask(port)).status).toBe(500)
      expect(errors).toEqual([expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'url' })])
      expect(w1.seen).toEqual([])
    },
  )

  test('two pools have a session each in one browser', async () => {
    const [a1, a2, b1, b2] = await startBackends('a1', 'a2', 'b1', 'b2')
    const port = await start(
      mount('/one', limpet(namedPool('one', a1, a2))),
      mount('/two', limpet(namedPool('two', b1, b2))),
    )
    const browser = new Browser(port)
    expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual(['a1', 'b1'])
    // In turn it would be the other ones'.
    for (let visit = 0; visit < 3; visit += 1) {
      expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual(['a1', 'b1'])
    }
  })

  describe('with `proxy`', () => {
    const CLAIM = { 'X-Forwarded-For': '192.0.2.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b' }

    async function asked(isProxy: boolean, options: Partial<LimpetOptions>) {
      const w1 = await startBackend('w1')
      const told: unknown[] = []
      const look = after(ctx => told.push(ctx.ip, ctx.protocol))
      const { app } = appOf(look, limpet({ ...poolOf(w1), ...options }))
      app.proxy = isProxy
      const answer = await ask(await serve(app.callback()), { headers: CLAIM })
      const value = (name: string) => joinedValue(w1.last.lines, name)
      const isSecure = answer.cookies()[0]?.includes('; Secure')
      return { told, seen: [value('x-forwarded-for'), value('x-forwarded-proto'), isSecure] }
    }

    test('set, it believes no client all the same', async () => {
      const { told, seen } = await asked(true, {})
      expect(told, 'the app does').toEqual(['192.0.2.9', 'https'])
      expect(seen).toEqual(['127.0.0.1', 'http', false])
    })

    test('not set, it believes those that its own trustProxy names', async () => {
      const { told, seen } = await asked(false, { trustProxy: ['127.0.0.1'] })
      expect(told).toEqual(['127.0.0.1', 'http'])
      expect(seen).toEqual(['192.0.2.9, 127.0.0.1', 'https', true])
    })
  })

  test('which answers by itself, it adds nothing', async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const responded: Middleware = async (ctx, next) => {
      ctx.respond = false
      ctx.res.setHeader('x-app', '1').end('own')
      await once(ctx.res, 'close')
      await next()
    }
    const { app, errors } = appOf(responded, middleware)
    const answer = await ask(await serve(app.callback()))
    expect([answer.text, answer.header('x-app'), answer.cookies()]).toEqual(['own', '1', []])
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
    expect([errors, w1.seen]).toEqual([[], []])
  })

  test('which gets tired of waiting and answers, its answer is left alone', async () => {
    const late = Promise.withResolvers<void>()
    const w1 = await startBackend('w1', async exchange => {
      await late.promise
      await echoWith(200)(exchange)
    })
    const { affinity, middleware } = pool([w1])
    const answering = Promise.withResolvers<() => void>()
    const tired: Middleware = async (ctx, next) => {
      ctx.respond = false
      ctx.res.write('tired ')
      answering.resolve(() => void ctx.res.end('of waiting'))
      await next()
    }
    const { app, errors } = appOf(tired, middleware)
    const opened = await open(await serve(app.callback()))
    const seen = await w1.arrival()
    late.resolve()
    await seen.over
    // An app that does not want a response does not read it, either.
    await expect.poll(() => w1.sockets.size).toBe(0)
    const finish = await answering.promise
    finish()
    expect(await buffer(opened.message)).toEqual(Buffer.from('tired of waiting'))
    expect([opened.message.headers['set-cookie'], errors]).toEqual([undefined, []])
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
  })

  test('close ends the idle connections at once', async () => {
    const w1 = await startBackend('w1')
    const { middleware } = pool([w1])
    const port = await start(middleware)
    expect((await ask(port)).echo.id).toBe('w1')
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    const begun = performance.now()
    middleware.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('a wrong option is told at once', () => {
    const wrong: object = { ...poolOf(), balance: 'sticky' }
    expect(() => limpet(wrong as LimpetOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'balance' }),
    )
    const filter: object = { ...poolOf(), filter: '/api' }
    expect(() => limpet(filter as LimpetOptions)).toThrow(expect.objectContaining({ option: 'filter' }))
  })
})

describe('after a body parser', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' }

  async function posted(parser: Middleware, asked: Asked) {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(parser, middleware)
    return { w1, affinity, answer: await ask(port, { method: 'POST', ...asked }) }
  }

  /** Every byte is what it was, and framed by its length. */
  function expectExact({ w1, answer }: Awaited<ReturnType<typeof posted>>, body: string | Buffer): void {
    const bytes = Buffer.from(body)
    expect(answer.status).toBe(200)
    expect(answer.echo).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) })
    expect(joinedValue(w1.last.lines, 'content-length')).toBe(String(bytes.length))
    expect(joinedValue(w1.last.lines, 'transfer-encoding')).toBeUndefined()
  }

  function expectRefused({ w1, affinity, answer }: Awaited<ReturnType<typeof posted>>): void {
    expectOwnAnswer(answer, 500)
    expect(answer.text).toContain('mount limpet before body parsers, or keep the bytes in request.rawBody')
    expect([w1.connections, affinity.pool.find('w1')?.requests]).toEqual([0, 0])
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

describe('the package', () => {
  const USE = `
    const middleware = limpet({ backends: [], secrets: ['${SECRET}'] })
    const server = new Koa().use(middleware).listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const text = await answer.text()
      middleware.close()
      server.close()
      console.log(answer.status, text)
    })`
  const IMPORTED = `
    import Koa from 'koa'
    import limpet, { limpet as named } from '@limpet/koa'
    if (limpet !== named) throw new Error('two functions')
    ${USE}`
  const REQUIRED = `
    const Koa = require('koa')
    const limpet = require('@limpet/koa')
    const { refuseUpgrade, guardServer, SERVER_OPTIONS } = limpet
    if ([refuseUpgrade, guardServer, SERVER_OPTIONS].includes(undefined)) throw new Error('not all of it')
    if (limpet !== limpet.limpet || limpet !== limpet.default) throw new Error('two functions')
    ${USE}`

  test.each([
    ['imported, by its default or by name', ['--input-type=module', '-e', IMPORTED]],
    ['required, and is the function itself', ['-e', REQUIRED]],
  ])('is %s, and leaves nothing that would keep the process alive', async (_, args) => {
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const env = { ...process.env, NODE_ENV: undefined }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env, timeout: 5_000 })
    expect([stdout, stderr]).toEqual([
      '503 no backend is available\n',
      'limpet: pool default: no backend is available: requests get 503\n',
    ])
  })
})

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('two pools of one server', () => {
  test('that write one cookie for one host are refused, the second of them [LB213]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const pools = [
      limpet({ ...poolOf(w1), filter: ({ url = '' }) => url.startsWith('/web') }),
      limpet({ ...poolOf(w2), filter: ({ url = '' }) => url.startsWith('/api') }),
    ]
    const { app, errors } = appOf(...pools)
    const port = await serve(app.callback())
    const web = await ask(port, { path: '/web' })
    expect([web.status, web.echo.id]).toEqual([200, 'w1'])
    const api = await ask(port, { path: '/api' })
    expect(api.status).toBe(500)
    expect(api.cookies()).toEqual([])
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_COOKIE_COLLISION', statusCode: 500 })])
    const other = await ask(port, { path: '/api', headers: { Host: 'other.test' } })
    expect([other.status, other.echo.id]).toEqual([200, 'w2'])
    expect((await ask(port, { path: '/web' })).status).toBe(200)
  })
})
