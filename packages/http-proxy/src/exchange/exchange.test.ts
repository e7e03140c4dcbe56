import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { AffinityPolicy } from '@limpet/core'
import { BackendFailedError } from '@limpet/core/adapter'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BackendResponse } from './backend-response.ts'
import { httpProxyOf } from '../http-proxy.ts'
import { parseHttpProxyOptions } from '../http-proxy-options.ts'
import type { HttpProxyOptions } from '../http-proxy-options.ts'

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

type Outcome = BackendResponse | undefined | Error

/** A gateway before one backend without a script, and the result of the first request. */
async function exchange(backend: RequestListener, options: Partial<HttpProxyOptions> = {}) {
  let requests = 0
  const backendPort = await listen((message, response) => {
    requests += 1
    backend(message, response)
  })
  const backends = [{ id: 'w1', url: `http://127.0.0.1:${backendPort}` }]
  const proxy = httpProxyOf(parseHttpProxyOptions({ backends, affinity: [], ...options }))
  onTestFinished(() => proxy.close())
  const outcome = Promise.withResolvers<Outcome>()
  const begun = Promise.withResolvers<IncomingMessage>()
  const port = await listen((message, response) => {
    begun.resolve(message)
    proxy.forward(message, response).then(outcome.resolve, outcome.resolve)
  })
  const client = connect(port, '127.0.0.1')
  onTestFinished(() => void client.destroy())
  return {
    client,
    port,
    begun: begun.promise,
    outcome: outcome.promise,
    requests: () => requests,
    view: () => proxy.affinity.pool.find('w1'),
  }
}

/** Answers with these bytes, and leaves the connection open. */
function raw(bytes: string): RequestListener {
  return ({ socket }) => void socket.write(bytes)
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('an exchange', () => {
  it('gives the answer as the client is to get it, each line of it', async () => {
    const { client, outcome } = await exchange((_request, response) => {
      response.writeHead(299, { 'X-Two': ['1', '2'], Warning: ['a', 'b'], 'Keep-Alive': 'timeout=5' })
      response.end('body')
    })
    client.write(GET)
    const { statusCode, headers, body } = (await outcome) as BackendResponse
    expect([statusCode, headers['x-two'], headers['warning']]).toEqual([299, ['1', '2'], ['a', 'b']])
    expect([headers['keep-alive'], headers['connection'], headers['transfer-encoding']]).toEqual(
      Array(3).fill(undefined),
    )
    expect(String((await once(body, 'data'))[0])).toBe('body')
  })

  it('holds the backend until the client has all of it, or has left', async () => {
    const { client, outcome, view } = await exchange((_request, response) => void response.end('body'))
    client.write(GET)
    const { body } = (await outcome) as BackendResponse
    await once(body.resume(), 'end')
    expect(view()).toMatchObject({ inFlight: 1, requests: 1 })
    client.destroy()
    await expect.poll(view).toMatchObject({ inFlight: 0, failures: 0 })
  })

  it.each([
    [
      'an unrequested upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['status 600', 'HTTP/1.1 600 Beyond\r\nContent-Length: 0\r\n\r\n'],
    ['status 999', 'HTTP/1.1 999 Beyond\r\nContent-Length: 1\r\n\r\n'],
  ])('takes no backend at its word that answers %s', async (what, bytes) => {
    const { client, outcome, requests, view } = await exchange(raw(bytes))
    client.write(GET)
    const error = await outcome
    expect(error).toBeInstanceOf(BackendFailedError)
    expect(error).toMatchObject({
      statusCode: 502,
      backend: 'w1',
      failure: { kind: 'protocol', slow: false, cause: { message: what } },
    })
    expect([requests(), view()?.failures]).toEqual([1, 1])
  })

  it.each([
    ['100 and 103', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'],
    ['199', 'HTTP/1.1 199 Soon\r\n\r\n'],
  ])('waits for the answer behind %s', async (_, before) => {
    const { client, outcome } = await exchange(raw(`${before}HTTP/1.1 204 No Content\r\n\r\n`))
    client.write(GET)
    expect(await outcome).toMatchObject({ statusCode: 204 })
  })

  it('reports to the log what is hidden from the client', async () => {
    const { client, outcome } = await exchange(({ socket }) => void socket.resetAndDestroy())
    client.write(GET)
    const error = (await outcome) as BackendFailedError
    expect([error.backend, error.failure.kind, error.message]).toEqual([
      'w1',
      'broken',
      'the backend did not respond',
    ])
    expect(error.cause).toMatchObject({ code: 'ECONNRESET' })
    expect(error.failure.cause).toBe(error.cause)
  })

  it('is not begun with for a client that leaves while a policy is asked', async () => {
    const asked = Promise.withResolvers<void>()
    const responded = Promise.withResolvers<void>()
    const slow: AffinityPolicy = {
      name: 'slow',
      async read() {
        asked.resolve()
        await responded.promise
        return { kind: 'none' }
      },
    }
    const { client, begun, outcome, requests, view } = await exchange(() => {}, { affinity: [slow] })
    client.write(GET)
    await asked.promise
    const closed = once((await begun).socket, 'close')
    client.destroy()
    await closed
    responded.resolve()
    expect(await outcome).toBeUndefined()
    expect([requests(), view()?.inFlight, view()?.failures]).toEqual([0, 0, 0])
  })

  it('of a client that leaves before the answer comes to nothing, and the backend is let off', async () => {
    const gone = Promise.withResolvers<void>()
    const { client, outcome, view } = await exchange((message, response) => {
      response.once('close', gone.resolve)
      message.once('close', () => {})
      client.destroy()
    })
    client.write(GET)
    expect(await outcome).toBeUndefined()
    await gone.promise
    expect(view()).toMatchObject({ inFlight: 0, failures: 0 })
  })

  it.each(['GET', 'DELETE', 'OPTIONS', 'PROPFIND', 'POST'])(
    'frames the body of a %s as it was',
    async method => {
      for (const framing of ['Content-Length: 5', 'Transfer-Encoding: chunked']) {
        const seen: unknown[] = []
        const { client, outcome } = await exchange((message, response) => {
          const { 'content-length': length, 'transfer-encoding': coding } = message.headers
          message.on('data', data => seen.push(String(data), length, coding)).on('end', () => response.end())
        })
        const isChunked = framing.endsWith('chunked')
        const body = isChunked ? '5\r\nhello\r\n0\r\n\r\n' : 'hello'
        client.write(`${method} / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`)
        expect(await outcome).toMatchObject({ statusCode: 200 })
        expect(seen).toEqual(['hello', isChunked ? undefined : '5', isChunked ? 'chunked' : undefined])
      }
    },
  )

  it.each(['GET', 'DELETE', 'OPTIONS'])('promises no body of a %s that has none', async method => {
    const seen: unknown[] = []
    const { port, outcome } = await exchange(({ headers }, response) => {
      seen.push(headers['content-length'], headers['transfer-encoding'])
      response.end()
    })
    request({ host: '127.0.0.1', port, method, headers: { Host: 'a' }, agent: false })
      .on('error', () => {})
      .end()
    expect(await outcome).toMatchObject({ statusCode: 200 })
    expect(seen).toEqual([undefined, undefined])
  })
  it.each(['POST', 'PUT', 'PROPFIND'])('says of a %s without a body that it has none', async method => {
    const seen: unknown[] = []
    const { client, outcome } = await exchange(({ headers }, response) => {
      seen.push(headers['content-length'], headers['transfer-encoding'])
      response.end()
    })
    client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    expect(await outcome).toMatchObject({ statusCode: 200 })
    expect(seen).toEqual(['0', undefined])
  })

  it('keeps no connection for the rest of a request that was answered early', async () => {
    const closed = Promise.withResolvers<void>()
    const { client, outcome, view } = await exchange((message, response) => {
      message.socket.once('close', () => closed.resolve())
      response.end('enough')
    })
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbegun')
    const { body } = (await outcome) as BackendResponse
    await once(body.resume(), 'end')
    await closed.promise
    expect(view()).toMatchObject({ failures: 0 })
  })
})
