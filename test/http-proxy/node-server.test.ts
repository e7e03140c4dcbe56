import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, get as getByTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createAffinity, isAffinityError } from '@limpet/core'
import {
  createHttpProxy,
  guardServer,
  type HttpProxy,
  type HttpProxyOptions,
  writeError,
} from '@limpet/http-proxy'
import { describe, expect, onTestFinished, test } from 'vitest'
import { asyncContext } from '../contract/async-context.ts'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { requestInfo } from '../contract/request-info.ts'
import { soundStart } from '../contract/start.ts'
import { webSocketContext } from '../contract/websocket-context.ts'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { poolOf } from '../support/fastify-app.ts'
import { NODE } from '../support/harnesses.ts'
import { headerLines, valuesOf } from '../support/header-lines.ts'
import { ask, type Asked } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw } from '../support/raw-client.ts'
import { echoWith, hang, resetBeforeHead } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'

/** A proxy before these backends that is closed when the test ends. */
function proxyBefore(backends: readonly Backend[], options: Partial<HttpProxyOptions> = {}): HttpProxy {
  const proxy = createHttpProxy({ ...poolOf(...backends), ...options })
  onTestFinished(() => proxy.close())
  return proxy
}

/** All that a gateway without a framework is. */
function listenerOf(proxy: HttpProxy): RequestListener {
  return (request, response) => void forward(proxy, request, response)
}

async function forward(proxy: HttpProxy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await proxy.take(request, response)?.respond()
  } catch (error) {
    if (!isAffinityError(error)) throw error
    writeError(response, error)
  }
}

describe('a bare server keeps contexts apart', () => {
  asyncContext(soundStart(NODE))
  webSocketContext(soundStart(NODE))
})

describe('a bare server keeps records of requests', () => {
  requestInfo(soundStart(NODE))
})

describe('a bare server', () => {
  test('is a gateway with two functions: sessions stay, whatever is asked', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    const browser = new Browser(await serve(listenerOf(proxyBefore(backends))))
    expect(await browser.visit('/first')).toBe('w1')
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await browser.ask({ method, path: '/x?y=%2f' })
      expect(answer.echo).toMatchObject({ id: 'w1', method, url: '/x?y=%2f', bytes: 0 })
    }
    const posted = await browser.ask({ method: 'POST', body: 'x'.repeat(100_000) })
    expect(posted.echo).toMatchObject({ id: 'w1', bytes: 100_000 })
    const head = await browser.ask({ method: 'HEAD' })
    expect([head.status, head.body.length, head.complete]).toEqual([200, 0, true])
  })

  test('loses no line that a client has sent, however it spells the name', async () => {
    const w1 = await startBackend('w1')
    const client = await openRaw(await serve(listenerOf(proxyBefore([w1]))))
    const fields = ['X-Two: 1', 'x-two: 2', 'constructor: 3', 'Cookie: a=1', 'cookie: b=2', 'toString: 4']
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields.join('\r\n')}\r\n\r\n`)
    await client.until(received => received.includes('"w1"'))
    const { lines } = w1.last
    expect(valuesOf(lines, 'x-two')).toEqual(['1', '2'])
    expect(valuesOf(lines, 'cookie').join('; ')).toBe('a=1; b=2')
    expect([...valuesOf(lines, 'constructor'), ...valuesOf(lines, 'tostring')]).toEqual(['3', '4'])
  })

  test('loses no line of an answer', async () => {
    const w1 = await startBackend('w1', ({ response }) => {
      const fields = [
        'constructor',
        '1',
        'X-Two',
        '1',
        'x-two',
        '2',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
      ]
      response.writeHead(200, fields).end()
    })
    const answer = await ask(await serve(listenerOf(proxyBefore([w1]))))
    expect([answer.header('constructor'), ...valuesOf(answer.lines, 'x-two')]).toEqual(['1', '1', '2'])
    expect(answer.cookies().map(line => line.split('=')[0])).toEqual(['a', 'b', 'SERVERID'])
  })

  test('keeps what it has put on the response', async () => {
    const w1 = await startBackend('w1', echoWith(200, { 'Set-Cookie': 'b=2', 'X-Backend': '1' }))
    const proxy = proxyBefore([w1])
    const port = await serve((request, response) => {
      response.setHeader('X-App', '1').setHeader('Set-Cookie', ['a=1'])
      return forward(proxy, request, response)
    })
    const answer = await ask(port)
    expect([answer.header('x-app'), answer.header('x-backend')]).toEqual(['1', '1'])
    expect(answer.cookies().map(line => line.split('=')[0])).toEqual(['a', 'b', 'SERVERID'])
  })

  test('may have another url for the backends, and the body elsewhere', async () => {
    const w1 = await startBackend('w1')
    const proxy = proxyBefore([w1])
    const port = await serve(async (request, response) => {
      const rawBody = await buffer(request)
      await proxy
        .take(request, response, { url: `/prefix${request.url ?? ''}`, parsed: { rawBody } })
        ?.respond()
    })
    const answer = await ask(port, { method: 'POST', path: '/x', body: [Buffer.from('hello')] })
    expect(answer.echo).toMatchObject({ url: '/prefix/x', bytes: 5 })
    expect(valuesOf(w1.last.lines, 'content-length')).toEqual(['5'])
  })

  test('by TLS is a secure one: backends are told, and so is the cookie', async () => {
    const w1 = await startBackend('w1')
    const server = createTlsServer(testCertificate, listenerOf(proxyBefore([w1])))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const asked = getByTls({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false })
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    await buffer(message)
    expect(valuesOf(w1.last.lines, 'x-forwarded-proto')).toEqual(['https'])
    expect(valuesOf(headerLines(message.rawHeaders), 'set-cookie')[0]).toContain('; Secure')
  })

  const ERRORS: readonly [name: string, status: number, prepare: (w1: Backend) => unknown, asked: Asked][] = [
    ['a backend that is gone', 502, async w1 => w1.refuse(), {}],
    ['one that is gone before a POST', 502, async w1 => w1.refuse(), { method: 'POST', body: 'x' }],
    ['a backend that dies', 502, w1 => (w1.script = resetBeforeHead), {}],
    ['a backend that hangs', 504, w1 => (w1.script = hang), {}],
    ['a wrong Host', 400, () => undefined, { headers: { Host: 'a/b' } }],
    ['too much', 413, () => undefined, { method: 'POST', body: 'x'.repeat(101) }],
  ]

  test.each(ERRORS)('answers %s by %i, and says no more', async (_, status, prepare, asked) => {
    const w1 = await startBackend('w1')
    const port = await serve(listenerOf(proxyBefore([w1], { timeouts: { response: 200 }, bodyLimit: 100 })))
    await prepare(w1)
    const answer = await ask(port, asked)
    expectOwnAnswer(answer, status)
    expect(answer.text).toMatch(new RegExp(`^${status} [A-Z][A-Za-z ]+\n$`))
    expect([answer.header('content-type'), answer.header('connection')]).toEqual([
      'text/plain; charset=utf-8',
      'close',
    ])
  })

  test.each([
    ['say nothing', ''],
    ['speak plainly', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['speak nonsense', '\x16\x03\x01\x00\x05nonsense'],
  ])('by TLS hangs up on those who %s', async (_, bytes) => {
    const server = guardServer(createTlsServer({ ...testCertificate, handshakeTimeout: 200 }))
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = await openRaw((server.address() as AddressInfo).port)
    client.write(bytes)
    await client.until(() => false)
    expect(client.closed).toBe(true)
  })

  test('responds with 503 and Retry-After when no backend is available', async () => {
    const answer = await ask(await serve(listenerOf(proxyBefore([]))))
    expectOwnAnswer(answer, 503)
    expect(answer.header('retry-after')).toBe('1')
  })

  test('hears nothing of an answer when the client has left', async () => {
    const w1 = await startBackend('w1', hang)
    const proxy = proxyBefore([w1])
    const told = Promise.withResolvers<unknown>()
    const port = await serve((request, response) => {
      proxy.take(request, response)?.forward().then(told.resolve, told.reject)
    })
    const client = await openRaw(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const seen = await w1.arrival()
    client.socket.destroy()
    expect(await told.promise).toBeUndefined()
    await seen.over
    expect(seen.aborted).toBe(true)
    expect(proxy.affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
  })

  test('may have two proxies before one affinity, each with its own transport', async () => {
    const w1 = await startBackend('w1', hang)
    const use = createAffinity(poolOf(w1))
    const [patient, hasty] = [createHttpProxy({ use }), createHttpProxy({ use, timeouts: { response: 100 } })]
    onTestFinished(() => [patient, hasty].forEach(({ close }) => close()))
    const port = await serve((request, response) =>
      forward(request.url === '/hasty' ? hasty : patient, request, response),
    )
    expect((await ask(port, { path: '/hasty' })).status).toBe(504)
    w1.script = async exchange => {
      // Longer than the other one would wait.
      await new Promise(resolve => {
        setTimeout(resolve, 200)
      })
      await echoWith(200)(exchange)
    }
    expect((await ask(port, { path: '/patient' })).echo.id).toBe('w1')
    expect(use.pool.find('w1')?.requests).toBe(2)
  })

  test('closes the connections to its backends when it is done', async () => {
    const w1 = await startBackend('w1')
    const proxy = proxyBefore([w1])
    await ask(await serve(listenerOf(proxy)))
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    const begun = performance.now()
    proxy.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('needs nothing of ours to listen', async () => {
    const proxy = proxyBefore([await startBackend('w1')])
    const server = createServer(listenerOf(proxy))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    expect((await ask((server.address() as AddressInfo).port)).echo.id).toBe('w1')
  })
})
