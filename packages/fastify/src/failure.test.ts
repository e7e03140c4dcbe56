import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Failure } from '@limpet/core'
import { failureOf } from '@limpet/http-proxy/transport'
import { Client, type Dispatcher } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isLengthMismatch } from './failure.ts'

/** undici's error of a failed request, and our failure for it. */
interface Failed {
  readonly error: Error
  readonly failure: Failure
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** @param abort the error that aborts the request in flight */
async function failureAt(url: string, abort?: Error, options: Client.Options = {}): Promise<Failed> {
  const client = new Client(url, options)
  onTestFinished(() => client.destroy())
  return new Promise((resolve, reject) => {
    let [isStarted, hasResponded] = [false, false]
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        isStarted = true
        if (abort !== undefined) setImmediate(() => controller.abort(abort))
      },
      onResponseStart(_controller, statusCode) {
        hasResponded = statusCode >= 200
      },
      onResponseData() {},
      onResponseEnd() {
        reject(new Error('did not fail'))
      },
      onResponseError(_controller, error) {
        resolve({ error, failure: failureOf(error, { isStarted, hasResponded }) })
      },
    }
    client.dispatch({ path: '/', method: 'GET' }, handler)
  })
}

/** Answers with these bytes and ends. */
function raw(bytes: string): RequestListener {
  return ({ socket }) => void socket.end(bytes)
}

function coded(code: string): Error {
  return Object.assign(new Error('no'), { code })
}

describe('the kind of a failure', () => {
  it('is unreached where no server listens', async () => {
    const { failure, error } = await failureAt('http://127.0.0.1:1')
    expect(failure).toEqual({ kind: 'unreached', slow: false, cause: error, refused: true })
  })

  it('is unreached, and slow, where no connection came in time', async () => {
    const { failure } = await failureAt('http://127.0.0.1:1', undefined, {
      connect: (_options, done) => done(coded('ERR_CONNECT_TIMEOUT'), null),
    })
    expect(failure).toMatchObject({ kind: 'unreached', slow: true })
  })

  it.each<[string, RequestListener]>([
    ['was reset', ({ socket }) => void socket.resetAndDestroy()],
    ['ended in good order', ({ socket }) => void socket.end()],
    ['ended in the middle of a head', raw('HTTP/1.1 200 OK\r\nContent-Le')],
    ['ended after a mere 103', raw('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')],
  ])('is broken when the connection %s', async (_, listener) => {
    const { failure } = await failureAt(await serve(listener))
    expect(failure).toMatchObject({ kind: 'broken', slow: false })
  })

  it.each([
    ['not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['of two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['not a number of bytes', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nxx'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('is protocol when what it said was %s', async (_, bytes) => {
    const { failure } = await failureAt(await serve(raw(bytes)))
    expect(failure).toMatchObject({ kind: 'protocol', slow: false })
  })

  it.each<[string, string, RequestListener]>([
    ['was reset', '', (_request, response) => reset(response)],
    ['ended too early', '', raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')],
    ['was no chunk', '', raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot\r\n')],
  ])('is truncated when the answer had begun and its body %s', async (_, __, listener) => {
    const { failure } = await failureAt(await serve(listener))
    expect(failure).toMatchObject({ kind: 'truncated', slow: false })
  })

  it('is truncated when the body stopped', async () => {
    const url = await serve((_request, response) => void response.write('x'))
    const { failure } = await failureAt(url, undefined, { bodyTimeout: 100 })
    expect(failure).toMatchObject({ kind: 'truncated', slow: false })
  })

  it('is a timeout, and slow, when we have waited long enough', async () => {
    const { failure } = await failureAt(await serve(() => {}), coded('ERR_RESPONSE_TIMEOUT'))
    expect(failure).toMatchObject({ kind: 'timeout', slow: true })
  })

  it('is protocol for a response that is not trustworthy', async () => {
    const { failure } = await failureAt(await serve(() => {}), coded('ERR_BACKEND_PROTOCOL'))
    expect(failure).toMatchObject({ kind: 'protocol', slow: false })
  })

  it.each([undefined, null, 'text', {}, new Error('no code'), Object.assign(new Error('x'), { code: 7 })])(
    'is broken when nothing is known but %o',
    error => {
      expect(failureOf(error, { isStarted: true, hasResponded: false })).toEqual({
        kind: 'broken',
        slow: false,
        cause: error,
      })
    },
  )
})

describe('a length that does not match', () => {
  it('is distinguished from other failures: a 304 has the length of the full response', async () => {
    const url = await serve(
      (_request, response) => void response.writeHead(304, { 'Content-Length': 9 }).end(),
    )
    const { error, failure } = await failureAt(url)
    expect([isLengthMismatch(error), failure.kind]).toEqual([true, 'truncated'])
    const other = await failureAt(await serve(raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')))
    expect(isLengthMismatch(other.error)).toBe(false)
  })
})

function reset(response: ServerResponse): void {
  response.write('x', () => setImmediate(() => response.socket?.resetAndDestroy()))
}
