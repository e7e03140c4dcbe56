import {
  createSecureServer,
  type ClientHttp2Session,
  type Http2SecureServer,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isAffinityError } from '@limpet/core'
import { limpet as fastifyLimpet } from '@limpet/fastify'
import { createHttpProxy, writeError, writeResponse } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import fastify from 'fastify'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, poolOf } from '../support/fastify-app.ts'
import { askHttp2, connectHttp2 } from '../support/http2-client.ts'
import { echo, rawAnswer } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'

/** Responses of a backend that HTTP/2 has no form for, and that HTTP/1 lets pass. */

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

async function serveHttp2(listener: Listener): Promise<number> {
  const server = createSecureServer(testCertificate) as Http2SecureServer & {
    on(event: 'request', listener: Listener): void
  }
  server.on('request', listener)
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Two lines of a field that has one value, as an app may have set them by mistake. */
const MISTAKE = ['1', '2']

const STARTS: readonly [string, (backend: Backend) => Promise<number>][] = [
  [
    'fastify',
    async backend => {
      const app = fastify({ http2: true, https: testCertificate })
      onTestFinished(() => app.close())
      app.addHook('onRequest', async (request, reply) => {
        if (request.url === '/mistake') reply.header('max-forwards', MISTAKE)
      })
      await app.register(fastifyLimpet, poolOf(backend))
      return listen(app)
    },
  ],
  [
    'koa',
    async backend => {
      const middleware = koaLimpet(poolOf(backend))
      onTestFinished(() => middleware.close())
      const app = new Koa()
        .use(async (ctx, next) => {
          if (ctx.url === '/mistake') ctx.res.setHeader('max-forwards', MISTAKE)
          await next()
        })
        .use(middleware)
      app.on('error', () => {})
      return serveHttp2(app.callback())
    },
  ],
  [
    'an adapter of http-proxy',
    async backend => {
      const proxy = createHttpProxy(poolOf(backend))
      onTestFinished(() => proxy.close())
      return serveHttp2(async (request, response) => {
        if (request.url === '/mistake') response.setHeader('max-forwards', MISTAKE)
        try {
          await proxy.take(request, response)?.respond()
        } catch (error) {
          response.writeHead(isAffinityError(error) ? error.statusCode : 500).end()
        }
      })
    },
  ],
]

/** The bodies that take different ways through an adapter. */
const BODIES: readonly [string, string][] = [
  ['short', 'Content-Length: 2\r\n\r\nok'],
  ['long', `Content-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`],
  ['chunked', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['followed by trailers', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n'],
]

function twice(name: string, first: string, second: string): string {
  return `${name}: ${first}\r\n${name}: ${second}\r\n`
}

const DUPLICATES =
  twice('Content-Type', 'text/plain', 'text/html') +
  twice('Location', '/a', '/b') +
  twice('ETag', '"1"', '"2"') +
  twice('Last-Modified', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:01 GMT') +
  twice('Date', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:01 GMT') +
  twice('Age', '1', '2') +
  twice('Retry-After', '1', '2') +
  twice('X-Content-Type-Options', 'nosniff', 'x') +
  twice('Access-Control-Allow-Credentials', 'true', 'false') +
  twice('User-Agent', 'a', 'b') +
  twice('Content-Encoding', 'a', 'b') +
  twice('Content-Language', 'de', 'fr') +
  twice('X-Both', '1', '2') +
  twice('Set-Cookie', 'a=1', 'b=2')

const RECEIVED = {
  'content-type': 'text/plain',
  location: '/a',
  etag: '"1"',
  'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
  date: 'Thu, 01 Jan 1970 00:00:00 GMT',
  age: '1',
  'retry-after': '1',
  'x-content-type-options': 'nosniff',
  'access-control-allow-credentials': 'true',
  'user-agent': 'a',
  // These are lists, of which each line adds a part (RFC 9110 §8.4, §8.5).
  'content-encoding': 'a, b',
  'content-language': 'de, fr',
  'x-both': '1, 2',
}

describe.each(STARTS)('with %s a client of HTTP/2', (_adapter, start) => {
  async function started(answer: string): Promise<ClientHttp2Session> {
    const w1 = await startBackend('w1', async exchange => {
      await (exchange.request.url === '/sound' ? echo(exchange) : rawAnswer(answer)(exchange))
    })
    return connectHttp2(await start(w1))
  }

  async function expectSound(session: ClientHttp2Session): Promise<void> {
    expect((await askHttp2(session, { ':path': '/sound' })).status).toBe(200)
  }

  test.each(BODIES)('gets one of the fields that a backend sends twice; the body is %s', async (_, end) => {
    const session = await started(`HTTP/1.1 200 OK\r\n${DUPLICATES}${end}`)
    const { status, fields, text } = await askHttp2(session)
    expect([status, fields]).toEqual([200, expect.objectContaining(RECEIVED)])
    expect(fields['set-cookie']).toEqual(expect.arrayContaining(['a=1', 'b=2']))
    expect(text).toBe(end.includes('ok') ? 'ok' : 'x'.repeat(300_000))
    const head = await askHttp2(session, { ':method': 'HEAD' })
    expect([head.status, head.fields, head.text]).toEqual([200, expect.objectContaining(RECEIVED), ''])
    await expectSound(session)
  })

  test.each([204, 304])('gets them with a status of %i', async status => {
    const session = await started(`HTTP/1.1 ${status} X\r\n${DUPLICATES}\r\n`)
    const answer = await askHttp2(session)
    expect([answer.status, answer.fields['etag']]).toEqual([status, '"1"'])
    await expectSound(session)
  })

  test('gets one of the trailers that a backend sends twice', async () => {
    const trailers = `${twice('ETag', '"1"', '"2"')}${twice('X-Sum', '1', '2')}${twice('Last-Modified', 'a', 'b')}TE: x\r\nUpgrade: h2\r\n`
    const session = await started(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`,
    )
    const answer = await askHttp2(session)
    expect([answer.status, answer.text]).toEqual([200, 'ok'])
    expect(answer.trailers).toMatchObject({ etag: '"1"', 'last-modified': 'a', 'x-sum': '1, 2' })
    await expectSound(session)
  })

  test.each([
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 2\r\n\r\nok'],
    ['the same length twice', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
    ['a length and a coding', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a name that is none', 'X A: 1\r\nContent-Length: 2\r\n\r\nok'],
    ['a name of HTTP/2', ':path: /\r\nContent-Length: 2\r\n\r\nok'],
    ['a NUL', 'X-A: a\u0000b\r\nContent-Length: 2\r\n\r\nok'],
  ])('gets 502 for %s', async (_, end) => {
    const session = await started(`HTTP/1.1 200 OK\r\n${end}`)
    expect((await askHttp2(session)).status).toBe(502)
    await expectSound(session)
  })

  test('gets none of the fields of a connection, whatever their number', async () => {
    const lines =
      'TE: x\r\nTE: y\r\nUpgrade: h2\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nHTTP2-Settings: a\r\n'
    const early = 'HTTP/1.1 103 Early Hints\r\nETag: "1"\r\nETag: "2"\r\n\r\n'
    const session = await started(
      `${early}HTTP/1.1 200 OK\r\n${lines}Connection: x-hop\r\nX-Hop: 1\r\nX-Latin: \u00e4\r\nContent-Length: 2\r\n\r\nok`,
    )
    const { status, fields, text } = await askHttp2(session)
    expect([status, text]).toEqual([200, 'ok'])
    for (const name of ['te', 'upgrade', 'keep-alive', 'proxy-connection', 'http2-settings', 'x-hop'])
      expect(fields).not.toHaveProperty(name)
    await expectSound(session)
  })

  test.each(BODIES)(
    'is not left waiting for a field of the app that HTTP/2 cannot have; the body is %s',
    async (_, end) => {
      const session = await started(`HTTP/1.1 200 OK\r\n${end}`)
      // A stream that its framework resets is an end, too.
      const status = await askHttp2(session, { ':path': '/mistake' }).then(
        answer => answer.status,
        (error: unknown) => (error as Error).message,
      )
      expect([500, 502, 'Stream closed with error code NGHTTP2_INTERNAL_ERROR']).toContain(status)
      await expectSound(session)
    },
  )
})

/** Starts a gateway of HTTP/2 whose application sends each error by its own words, and notes its fields. */
type StartNoting = (backend: Backend, seen: object[]) => Promise<number>

const NOTING: readonly [string, StartNoting][] = [
  [
    'fastify',
    async (backend, seen) => {
      const app = fastify({ http2: true, https: testCertificate })
      onTestFinished(() => app.close())
      app.setErrorHandler((error, _request, reply) => {
        if (!isAffinityError(error)) throw error
        seen.push(error.headers)
        return reply.code(error.statusCode).headers(error.headers).send('an error')
      })
      await app.register(fastifyLimpet, { ...poolOf(backend), bodyLimit: 10 })
      return listen(app)
    },
  ],
  [
    'koa',
    async (backend, seen) => {
      const middleware = koaLimpet({ ...poolOf(backend), bodyLimit: 10 })
      onTestFinished(() => middleware.close())
      const app = new Koa().use(middleware)
      app.on('error', error => isAffinityError(error) && seen.push(error.headers))
      return serveHttp2(app.callback())
    },
  ],
  [
    'an adapter of http-proxy',
    async (backend, seen) => {
      const proxy = createHttpProxy({ ...poolOf(backend), bodyLimit: 10 })
      onTestFinished(() => proxy.close())
      return serveHttp2(async (request, response) => {
        try {
          const answer = await proxy.take(request, response)?.forward()
          if (answer !== undefined) writeResponse(response, answer)
        } catch (error) {
          if (!isAffinityError(error)) throw error
          seen.push(error.headers)
          writeError(response, error)
        }
      })
    },
  ],
]

describe.each(NOTING)('the error of a client that speaks HTTP/2 to %s', (_name, startNoting) => {
  test.each<[string, number, OutgoingHttpHeaders, string | string[] | undefined]>([
    ['a malformed target', 400, { ':path': '/a\\b' }, undefined],
    ['a length above the limit', 413, { ':method': 'POST', 'content-length': '20' }, 'x'.repeat(20)],
    ['a body above the limit', 413, { ':method': 'POST' }, ['x'.repeat(8), 'x'.repeat(8)]],
  ])('names no field of the connection for %s: it is of one stream', async (_, status, fields, body) => {
    const seen: object[] = []
    const warnings: unknown[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    const session = await connectHttp2(await startNoting(await startBackend('w1'), seen))
    const answer = await askHttp2(session, fields, body)
    expect([answer.status, answer.fields.connection, seen.length]).toEqual([status, undefined, 1])
    expect(answer.fields['cache-control']).toBe('no-store')
    expect(seen[0]).not.toHaveProperty('connection')
    expect((await askHttp2(session)).status).toBe(200)
    expect(warnings).toEqual([])
  })
})
