import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createAffinity } from '@limpet/core'
import { limpet, type LimpetOptions } from '@limpet/express'
import express5, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { SECRET } from '../contract/start.ts'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { namedPool, poolOf } from '../support/fastify-app.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { ask, type Asked, open, readToEnd } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { bare, echoWith, hang, resetBeforeHead, resetMidBody } from '../support/scripts.ts'

/** The version before has no types of its own under this name. */
const express4 = createRequire(import.meta.url)('express-4') as typeof express5

/** Middleware before a pool of these backends, and what one can see of it. */
function pool(backends: readonly Backend[], options: Partial<LimpetOptions> = {}) {
  const affinity = createAffinity(poolOf(...backends))
  return { affinity, handler: limpet({ use: affinity, ...options }) }
}

/** An error handler that answers nothing. */
function noting(errors: unknown[]): ErrorRequestHandler {
  return (error, _request, _response, _next) => void errors.push(error)
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('mounted in %s', (_version, express) => {
  describe('at a path', () => {
    test('it has what is below, and backends see the whole path', async () => {
      const app = express().use('/shop', limpet(poolOf(await startBackend('w1'))))
      const port = await serve(app)
      for (const path of ['/shop', '/shop/', '/shop/x/y?z=1&z=%2f', '/shop//x', '/SHOP/x']) {
        expect((await ask(port, { path })).echo.url).toBe(path)
      }
      for (const path of ['/', '/shopping', '/x/shop']) expect((await ask(port, { path })).status).toBe(404)
    })

    test('in a router in a router it is the same', async () => {
      const inner = express.Router().use('/b', limpet(poolOf(await startBackend('w1'))))
      const app = express().use('/a', express.Router().use('/:any', inner))
      const port = await serve(app)
      expect((await ask(port, { path: '/a/x/b/c?d=/e' })).echo.url).toBe('/a/x/b/c?d=/e')
      expect((await ask(port, { path: '/a/b' })).status).toBe(404)
    })

    test('a url that earlier middleware has written is what backends see, and the mount path with it [B2]', async () => {
      const seen: unknown[] = []
      const filter = ({ url = '' }: IncomingMessage): boolean => seen.push(url) > 0
      const handler = limpet({ ...poolOf(await startBackend('w1')), filter })
      const rewrite =
        (from: RegExp, to: string): RequestHandler =>
        (request, _response, next) => {
          request.url = request.url.replace(from, to)
          next()
        }
      const whole: RequestHandler = (request, _response, next) => {
        request.url = request.originalUrl
        next()
      }
      const app = express()
        .use(rewrite(/^\/old/, '/new'))
        .use('/shop', rewrite(/^\/v1/, '/v2'), handler)
        .use('/whole', whole, handler)
        .use(handler)
      const port = await serve(app)
      const paths = [
        ['/old/x?y=%2f', '/new/x?y=%2f'],
        ['/old', '/new'],
        ['/shop/v1/x?y', '/shop/v2/x?y'],
        ['/shop/v2', '/shop/v2'],
        ['/shop?x', '/shop?x'],
        ['/shop', '/shop'],
        ['/whole/x', '/whole/x'],
      ]
      for (const [path = '', expected] of paths) expect((await ask(port, { path })).echo.url).toBe(expected)
      expect(seen).toEqual(paths.map(([, expected]) => expected))
    })

    test.each(['new', '', '/a b', '/a\r\nX-Evil: 1', 'http://evil.test/', '*'])(
      'a url of %j is an error of the application [B2]',
      async url => {
        const errors: unknown[] = []
        const w1 = await startBackend('w1')
        const handler = limpet(poolOf(w1))
        const app = express().use((request, response) => {
          request.url = url
          handler(request, response, error => {
            errors.push(error)
            response.status(500).end()
          })
        })
        expect((await ask(await serve(app), { path: '/old' })).status).toBe(500)
        expect(errors).toEqual([
          expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'url', statusCode: 500 }),
        ])
        expect(w1.seen).toEqual([])
      },
    )

    test('it may be one handler of a route, with others before it', async () => {
      const app = express().post(
        '/cart/:id',
        (request, response, next) => {
          response.setHeader('x-cart', String(request.params['id']))
          next()
        },
        limpet(poolOf(await startBackend('w1'))),
      )
      const port = await serve(app)
      const answer = await ask(port, { method: 'POST', path: '/cart/7?a', body: 'x' })
      expect(answer.echo).toMatchObject({ method: 'POST', url: '/cart/7?a', bytes: 1 })
      expect(answer.header('x-cart')).toBe('7')
      expect((await ask(port, { path: '/cart/7' })).status).toBe(404)
    })

    test('handlers after it see the request as it was', async () => {
      const seen: unknown[] = []
      const app = express()
        .use('/shop', limpet({ ...poolOf(await startBackend('w1')), filter: () => false }))
        .use(({ url, originalUrl, baseUrl, headers }, response) => {
          seen.push([url, originalUrl, baseUrl, headers.cookie])
          response.end()
        })
      await ask(await serve(app), { path: '/shop/x', headers: { Cookie: 'SERVERID=x; a=1' } })
      expect(seen).toEqual([['/shop/x', '/shop/x', '', 'SERVERID=x; a=1']])
    })
  })

  describe('several times', () => {
    test('two pools have a session each in one browser', async () => {
      const [a1, a2, b1, b2] = await startBackends('a1', 'a2', 'b1', 'b2')
      const app = express()
        .use('/one', limpet(namedPool('one', a1, a2)))
        .use('/two', limpet(namedPool('two', b1, b2)))
      const browser = new Browser(await serve(app))
      const [one, two] = [await browser.visit('/one'), await browser.visit('/two')]
      expect([one, two, ...browser.cookies.keys()]).toEqual(['a1', 'b1', 'one', 'two'])
      // In turn it would be the other ones'.
      for (let visit = 0; visit < 3; visit += 1) {
        expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual([one, two])
      }
    })

    test('one affinity is one pool, and a session holds in both places', async () => {
      const affinity = createAffinity(poolOf(...(await startBackends('w1', 'w2', 'w3'))))
      const app = express()
        .use('/a', limpet({ use: affinity }))
        .use('/b', limpet({ use: affinity, timeouts: { response: '1s' } }))
      const browser = new Browser(await serve(app))
      const ids = [await browser.visit('/a'), await browser.visit('/b'), await browser.visit('/a')]
      expect(ids).toEqual(['w1', 'w1', 'w1'])
      expect(affinity.pool.find('w1')?.requests).toBe(3)
    })
  })

  describe('with `trust proxy`', () => {
    const CLAIM = { 'X-Forwarded-For': '192.0.2.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b' }

    test.each([true, 1, 'loopback', () => true])(
      'set to %s, it believes no client all the same',
      async trust => {
        const w1 = await startBackend('w1')
        let seen: Request | undefined
        const app = express()
          .set('trust proxy', trust)
          .use((request, _response, next) => {
            seen = request
            next()
          })
          .use(limpet(poolOf(w1)))
        const answer = await ask(await serve(app), { headers: CLAIM })
        expect([seen?.ip, seen?.protocol], 'the app does').toEqual(['192.0.2.9', 'https'])
        expect(valuesOf(w1.last.lines, 'x-forwarded-for')).toEqual(['127.0.0.1'])
        expect(valuesOf(w1.last.lines, 'x-forwarded-proto')).toEqual(['http'])
        expect(answer.cookies()[0]).not.toContain('Secure')
      },
    )

    test('not set, it believes those that its own trustProxy names', async () => {
      const w1 = await startBackend('w1')
      const app = express().use(limpet({ ...poolOf(w1), trustProxy: ['127.0.0.1'] }))
      const answer = await ask(await serve(app), { headers: CLAIM })
      expect(valuesOf(w1.last.lines, 'x-forwarded-for')).toEqual(['192.0.2.9, 127.0.0.1'])
      expect(valuesOf(w1.last.lines, 'x-forwarded-proto')).toEqual(['https'])
      expect(answer.cookies()[0]).toContain('; Secure')
    })
  })

  describe('after other middleware', () => {
    test("its headers and cookies reach the client beside the backend's, each cookie a line", async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'Set-Cookie': ['c=3', 'd=4'], 'X-Backend': '1' }))
      const app = express()
        .use((_request, response, next) => {
          response.setHeader('Content-Security-Policy', "default-src 'self'")
          response.cookie('a', '1').append('Set-Cookie', 'b=2; Path=/').vary('Origin')
          next()
        })
        .use(limpet(poolOf(w1)))
      const answer = await ask(await serve(app))
      expect(answer.header('content-security-policy')).toBe("default-src 'self'")
      expect([answer.header('vary'), answer.header('x-backend')]).toEqual(['Origin', '1'])
      const cookies = valuesOf(answer.lines, 'set-cookie').map(line =>
        line.split(';')[0]?.replace(/ID=.*/, 'ID'),
      )
      expect(cookies).toEqual(['a=1', 'b=2', 'c=3', 'd=4', 'SERVERID'])
    })

    test('the backend has the last word on a field that both set', async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'Cache-Control': 'private', 'X-Two': ['1', '2'] }))
      const app = express()
        .use((_request, response, next) => {
          response.status(418).set({ 'Cache-Control': 'public', 'X-Two': '0' })
          next()
        })
        .use(limpet(poolOf(w1)))
      const answer = await ask(await serve(app))
      expect([answer.status, answer.header('cache-control')]).toEqual([200, 'private'])
      expect(valuesOf(answer.lines, 'x-two')).toEqual(['1', '2'])
    })

    test('which refuses, no backend hears of it', async () => {
      const w1 = await startBackend('w1')
      const app = express()
        .use((request, response, next) => {
          if (request.headers.authorization === undefined) response.status(401).send('who are you?')
          else next()
        })
        .use(limpet(poolOf(w1)))
      const port = await serve(app)
      const refused = await ask(port, { method: 'POST', body: 'x'.repeat(100_000) })
      expect([refused.status, refused.text, refused.cookies()]).toEqual([401, 'who are you?', []])
      expect(w1.connections).toBe(0)
      expect((await ask(port, { headers: { Authorization: 'me' } })).echo.id).toBe('w1')
    })

    test.each([
      ['has an answer', echoWith(200), 0],
      ['fails', resetBeforeHead, 1],
    ])(
      'which responds before the backend %s, its response is left alone and no error is reported',
      async (_, script, failures) => {
        const late = Promise.withResolvers<void>()
        const w1 = await startBackend('w1', async exchange => {
          await late.promise
          await script(exchange)
        })
        const { affinity, handler } = pool([w1])
        const told: unknown[] = []
        const answering = Promise.withResolvers<() => void>()
        const app = express()
          .use((_request, response, next) => {
            response.type('text').write('tired ')
            answering.resolve(() => response.end('of waiting'))
            next()
          })
          .use(handler, () => void told.push('next'))
          .use(noting(told))
        const opened = await open(await serve(app))
        const seen = await w1.arrival()
        late.resolve()
        await seen.over
        // An app that does not want a response does not read it, either.
        await expect.poll(() => [w1.sockets.size, affinity.pool.find('w1')?.failures]).toEqual([0, failures])
        const finish = await answering.promise
        finish()
        expect(Buffer.concat(await readToEnd(opened)).toString()).toBe('tired of waiting')
        expect([opened.message.complete, opened.message.headers['set-cookie'], told]).toEqual([
          true,
          undefined,
          [],
        ])
        await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
      },
    )
  })

  describe('with a filter', () => {
    const isApi = ({ headers }: IncomingMessage) => headers['x-api'] !== undefined

    test('it is asked about the whole url wherever it is mounted, and the next handler’s is cut', async () => {
      const seen: unknown[] = []
      const filter = ({ url = '' }: IncomingMessage): boolean => {
        seen.push(url)
        if (url === '/a/b/throw') throw new Error('odd')
        return url.startsWith('/a/b/ours')
      }
      const note = (request: Request, response: Response): void => {
        seen.push(request.url)
        response.end()
      }
      const failed: ErrorRequestHandler = (_error, request, response, _next) => note(request, response)
      const router = express5
        .Router()
        .use('/b', limpet({ ...poolOf(await startBackend('w1')), filter }), note, failed)
      const port = await serve(express().use('/a', router))
      expect((await ask(port, { path: '/a/b/ours?x' })).echo.url).toBe('/a/b/ours?x')
      for (const path of ['/a/b/theirs', '/a/b/throw']) await ask(port, { path })
      expect(seen).toEqual(['/a/b/ours?x', '/a/b/theirs', '/theirs', '/a/b/throw', '/throw'])
    })

    test('unmatched requests go to the next handler, or get 404', async () => {
      const w1 = await startBackend('w1')
      const handler = limpet({ ...poolOf(w1), filter: isApi })
      const app = express()
        .use(handler)
        .get('/own', (_request, response) => void response.send('own'))
      const port = await serve(app)
      const ours = await ask(port, { path: '/own', headers: { 'X-Api': '1' } })
      expect(ours.echo).toMatchObject({ id: 'w1', url: '/own' })
      const own = await ask(port, { path: '/own' })
      expect([own.text, own.cookies()]).toEqual(['own', []])
      expect((await ask(port, { path: '/none' })).status).toBe(404)
      expect(w1.seen).toHaveLength(1)
    })

    test('the body of what is not its own is the next handler’s as well', async () => {
      const handler = limpet({ ...poolOf(), filter: isApi })
      const app = express().use(
        handler,
        express.json(),
        (request, response) => void response.send(request.body),
      )
      const headers = { 'Content-Type': 'application/json' }
      const answer = await ask(await serve(app), { method: 'POST', headers, body: '{ "a": 1 }' })
      expect(answer.text).toBe('{"a":1}')
    })

    test('which throws, the error is the app’s', async () => {
      const filter = () => {
        throw Object.assign(new Error('no'), { status: 418 })
      }
      const app = express().use(limpet({ ...poolOf(), filter }))
      expect((await ask(await serve(app))).status).toBe(418)
    })
  })

  /** Each of our errors, and how to come by it. */
  const ERRORS: readonly [name: string, status: number, code: string, prepare: Prepare, asked: Asked][] = [
    ['an empty pool', 503, 'ERR_NO_BACKEND', w1 => w1.affinity.pool.remove('w1'), {}],
    ['a backend that is gone', 502, 'ERR_BACKEND_FAILED', async w1 => w1.backend.refuse(), {}],
    [
      'one that is gone before a POST',
      502,
      'ERR_BACKEND_FAILED',
      w1 => w1.backend.refuse(),
      { method: 'POST', body: 'x' },
    ],
    ['a backend that dies', 502, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = resetBeforeHead), {}],
    ['a backend that hangs', 504, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = hang), {}],
    ['a wrong Host', 400, 'ERR_REFUSED_REQUEST', () => undefined, { headers: { Host: 'a/b' } }],
  ]

  /** Of those: the request may come again. */
  function hasReachedNobody(name: string): boolean {
    return /empty|gone/.test(name)
  }

  type Prepare = (w1: { backend: Backend; affinity: ReturnType<typeof createAffinity> }) => unknown

  /** The response of an app, with this error handler or without. */
  async function failure(prepare: Prepare, asked: Asked, app: Express, show?: ErrorRequestHandler) {
    const backend = await startBackend('w1')
    const { affinity, handler } = pool([backend], { timeouts: { response: 200 } })
    app.use(handler)
    if (show !== undefined) app.use(show)
    const port = await serve(app)
    await prepare({ backend, affinity })
    return ask(port, asked)
  }

  describe('an error handler of the app', () => {
    /** Shows all that one may look at, and what `err.headers` ask for. */
    const show: ErrorRequestHandler = (error, _request, response, _next) => {
      const { status, statusCode, code, message, headers, stack, expose } = error
      response.status(status).set(headers)
      response.json({ status, statusCode, code, message, headers, stack, expose })
    }

    test.each(ERRORS)('is given %s: %i', async (name, status, code, prepare, asked) => {
      const answer = await failure(prepare, asked, express(), show)
      expect(answer.status).toBe(status)
      const shown = JSON.parse(answer.text)
      expect(shown).toMatchObject({ status, statusCode: status, code, expose: true })
      expect(shown.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      expect(shown.headers['retry-after']).toBe(hasReachedNobody(name) ? '1' : undefined)
      expect(`${shown.message} ${shown.stack}`).not.toMatch(/127\.0\.0\.1|localhost|:\d|E[A-Z]{4,}|\n|w1/)
      expect(answer.cookies()).toEqual([])
    })

    test.each([
      [503, 100, 'no backend takes it'],
      [413, 1000, 'it is too large'],
    ])(
      'is not asked about a client that is still sending: that one is told at once, and hung up on: %i',
      async (status, length) => {
        const { affinity, handler } = pool([await startBackend('w1')], { bodyLimit: 999 })
        affinity.pool.setHealthy('w1', false)
        const told: unknown[] = []
        const client = await openRaw(await serve(express().use(handler, noting(told))))
        client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nfirst`)
        await client.until(() => client.closed)
        const [answer] = parseAnswers(client.received)
        expectOwnAnswer({ status: 0, lines: [], text: answer?.body ?? '', ...answer }, status)
        expect(valuesOf(answer?.lines ?? [], 'connection')).toEqual(['close'])
        expect([client.closed, told]).toEqual([true, []])
      },
    )

    test('hears nothing of a client that leaves early, wherever it was', async () => {
      const w1 = await startBackend('w1', hang)
      const { affinity, handler } = pool([w1])
      const called: unknown[] = []
      const app = express()
        .use(handler, () => void called.push('next'))
        .use(noting(called))
      const port = await serve(app)
      const heads = [
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst',
      ]
      for (const head of heads) {
        for (const leave of ['destroy', 'resetAndDestroy'] as const) {
          const client = await openRaw(port)
          client.write(head)
          const seen = await w1.arrival(w1.seen.length + 1)
          client.socket[leave]()
          await seen.over
          expect(seen.aborted).toBe(true)
        }
      }
      w1.script = ({ response }) => void response.write('data: 1\n\n')
      const opened = await open(port)
      await once(opened.message, 'data')
      opened.message.on('error', () => {}).destroy()
      await w1.last.over
      await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
      expect([called, affinity.pool.find('w1')?.failures]).toEqual([[], 0])
    })

    test('hears nothing of an answer that is cut in the middle: the client does', async () => {
      const w1 = await startBackend('w1', resetMidBody('chunked'))
      const { affinity, handler } = pool([w1])
      const called: unknown[] = []
      const app = express()
        .use(handler, () => void called.push('next'))
        .use(noting(called))
      const answer = await ask(await serve(app))
      expect([answer.status, answer.text, answer.complete]).toEqual([200, '0123456789', false])
      await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 1 })
      expect(called).toEqual([])
    })
  })

  describe('without an error handler of the app', () => {
    test.each(ERRORS)(
      "%s is %i on Express's own page, which shows nothing even in development",
      async (name, status, _code, prepare, asked) => {
        const app = express()
        // Like `development` it shows the stack, but without a word on the console.
        expect(app.get('env')).toBe('test')
        const answer = await failure(prepare, asked, app)
        expectOwnAnswer(answer, status)
        expect(answer.header('retry-after')).toBe(hasReachedNobody(name) ? '1' : undefined)
        expect(answer.text).not.toMatch(/\bat\b|w1|<br>/)
      },
    )

    test('in production the page has no more than the name of the status', async () => {
      const app = express().set('env', 'production')
      const answer = await failure(async w1 => w1.backend.refuse(), {}, app)
      expectOwnAnswer(answer, 502)
      expect(answer.text).toContain('<pre>Bad Gateway</pre>')
    })
  })

  describe('after a body parser', () => {
    const JSON_TYPE = { 'Content-Type': 'application/json' }

    async function posted(parser: RequestHandler, asked: Asked) {
      const w1 = await startBackend('w1')
      const { affinity, handler } = pool([w1])
      const port = await serve(express().use(parser, handler))
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

  describe('its answers', () => {
    test('without a body leave both connections free for the next', async () => {
      const w1 = await startBackend('w1')
      const port = await serve(express().use(limpet(poolOf(w1))))
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const head = await ask(port, { method: 'HEAD', agent })
      expect([head.status, head.body.length, head.complete]).toEqual([200, 0, true])
      expect(Number(head.header('content-length'))).toBeGreaterThan(50)
      for (const status of [204, 205, 304]) {
        w1.script = bare(status, { ETag: '"1"', ...(status === 205 && { 'Content-Length': 0 }) })
        const answer = await ask(port, { agent, headers: { 'If-None-Match': '"1"' } })
        expect([answer.status, answer.header('etag'), answer.complete]).toEqual([status, '"1"', true])
      }
      expect(w1.connections).toBe(1)
    })

    test('are never followed by a call of next', async () => {
      const w1 = await startBackend('w1')
      const called: unknown[] = []
      const app = express()
        .use(limpet(poolOf(w1)), (_request, response) => {
          called.push('next')
          response.end()
        })
        .use(noting(called))
      const port = await serve(app)
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      for (const method of ['GET', 'HEAD', 'DELETE']) await ask(port, { method, agent })
      await ask(port, { method: 'POST', body: 'x'.repeat(100_000), agent })
      w1.script = bare(304)
      await ask(port, { agent })
      // By the time that this one is answered, a call for one before it would have been.
      w1.script = ({ response }) => void response.write('x', () => response.end('x'.repeat(200_000)))
      expect((await ask(port, { agent })).body.length).toBe(200_001)
      expect(called).toEqual([])
    })

    test('that wait for their first event have their head', async () => {
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      })
      const { message } = await open(await serve(express().use(limpet(poolOf(w1)))))
      expect(message.headers['content-type']).toBe('text/event-stream')
      message.destroy()
    })
  })

  test('close ends the idle connections, and what is on its way goes on', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { handler } = pool([w1, w2])
    const port = await serve(express().use(handler))
    expect((await ask(port)).echo.id).toBe('w1')
    const answering = Promise.withResolvers<() => void>()
    w2.script = ({ response }) => {
      response.write('first ')
      answering.resolve(() => response.end('and last'))
    }
    const opened = await open(port)
    const finish = await answering.promise
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    const begun = performance.now()
    handler.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
    finish()
    expect(Buffer.concat(await readToEnd(opened)).toString()).toBe('first and last')
    expect(opened.message.complete).toBe(true)
    for (const socket of w2.sockets) await once(socket, 'close')
    expect(performance.now() - begun).toBeLessThan(2_000)
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

describe('the package', () => {
  const USE = `
    const handler = limpet({ backends: [], secrets: ['${SECRET}'] })
    const server = express().use(handler).listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const [, page] = /<pre>(.*)<\\/pre>/s.exec(await answer.text())
      handler.close()
      server.close()
      console.log(answer.status, page)
    })`
  const IMPORTED = `
    import express from 'express'
    import limpet, { limpet as named } from '@limpet/express'
    if (limpet !== named) throw new Error('two functions')
    ${USE}`
  const REQUIRED = `
    const express = require('express')
    const limpet = require('@limpet/express')
    const { refuseUpgrade, guardServer, SERVER_OPTIONS } = limpet
    if ([refuseUpgrade, guardServer, SERVER_OPTIONS].includes(undefined)) throw new Error('not all of it')
    if (limpet !== limpet.limpet || limpet !== limpet.default) throw new Error('two functions')
    ${USE}`

  test.each([
    ['imported, by its default or by name', ['--input-type=module', '-e', IMPORTED]],
    ['required, and is the function itself', ['-e', REQUIRED]],
  ])('is %s, and leaves nothing that would keep the process alive', async (_, args) => {
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    // Without NODE_ENV it is development, and Express shows all it knows.
    const env = { ...process.env, NODE_ENV: undefined }
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env, timeout: 5_000 })
    expect(stdout).toBe('503 no backend is available\n')
  })
})

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('two pools of one server', () => {
  test('that write one cookie for one host are refused, the second of them [LB213]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const errors: unknown[] = []
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.status(error.status).end()
    }
    const app = express5()
      .use('/web', limpet(poolOf(w1)))
      .use('/api', limpet(poolOf(w2)))
    const port = await serve(app.use(note))
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
