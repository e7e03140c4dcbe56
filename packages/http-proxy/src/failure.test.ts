import { request, type RequestListener, type ServerResponse } from 'node:http'
import type { Failure } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { listening } from './listening.fixture.ts'
import { CONNECT_TIMEOUT } from './backend/backend-socket.ts'
import { errorCode, failureOf, protocolError, RESPONSE_TIMEOUT, responseTimeout } from './failure.ts'

/**
 * The error of node:http's client for a failed request, and our failure for it.
 * @param abort the error that aborts the request in flight
 */
async function failureAt(port: number, abort?: Error): Promise<{ error: Error; failure: Failure }> {
  return new Promise((resolve, reject) => {
    let [isStarted, hasResponded] = [false, false]
    const asked = request({ host: '127.0.0.1', port, agent: false })
    function onError(error: Error): void {
      resolve({ error, failure: failureOf(error, { isStarted, hasResponded }) })
    }
    asked
      .on('socket', socket =>
        socket.once('connect', () => {
          isStarted = true
          if (abort !== undefined) asked.destroy(abort)
        }),
      )
      .on('response', response => {
        hasResponded = true
        response
          .on('error', onError)
          .on('end', () => reject(new Error('did not fail')))
          .resume()
      })
      .on('error', onError)
      .end()
  })
}

/** Answers with these bytes and ends. */
function raw(bytes: string): RequestListener {
  return ({ socket }) => void socket.end(bytes)
}

function reset(response: ServerResponse): void {
  response.write('x', () => setImmediate(() => response.socket?.resetAndDestroy()))
}

describe('the kind of a failure', () => {
  it('is unreached where no server listens', async () => {
    const { failure, error } = await failureAt(1)
    expect(failure).toEqual({ kind: 'unreached', slow: false, cause: error, refused: true })
  })

  it('is unreached, and slow, where no connection came in time', () => {
    const error = Object.assign(new Error('late'), { code: CONNECT_TIMEOUT })
    expect(failureOf(error, { isStarted: false, hasResponded: false })).toEqual({
      kind: 'unreached',
      slow: true,
      cause: error,
    })
  })

  it.each<[string, RequestListener]>([
    ['was reset', ({ socket }) => void socket.resetAndDestroy()],
    ['ended in good order', ({ socket }) => void socket.end()],
    ['ended in the middle of a head', raw('HTTP/1.1 200 OK\r\nContent-Le')],
    ['ended after a mere 103', raw('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')],
  ])('is broken when the connection %s', async (_, listener) => {
    const { failure, error } = await failureAt(await listening(listener))
    expect(failure).toEqual({ kind: 'broken', slow: false, cause: error })
  })

  it.each([
    ['not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['of two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['not a number of bytes', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nxx'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    [
      'framed in two ways',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('is protocol when what it said was %s', async (_, bytes) => {
    const { failure } = await failureAt(await listening(raw(bytes)))
    expect(failure).toMatchObject({ kind: 'protocol', slow: false })
  })

  it.each<[string, RequestListener]>([
    ['was reset', (_request, response) => reset(response)],
    ['ended too early', raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')],
    ['was no chunk', raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot\r\n')],
    ['had no last chunk', raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')],
  ])('is truncated when the answer had begun and its body %s', async (_, listener) => {
    const { failure } = await failureAt(await listening(listener))
    expect(failure).toMatchObject({ kind: 'truncated', slow: false })
  })

  it('is a timeout, and slow, when we have waited long enough', async () => {
    const { failure, error } = await failureAt(await listening(() => {}), responseTimeout(150))
    expect(failure).toEqual({ kind: 'timeout', slow: true, cause: error })
    expect([error.message, errorCode(error)]).toEqual(['no response within 150 ms', RESPONSE_TIMEOUT])
  })

  it('is protocol for a response that is not trustworthy', async () => {
    const { failure } = await failureAt(await listening(() => {}), protocolError('status 600'))
    expect(failure).toMatchObject({ kind: 'protocol', slow: false, cause: { message: 'status 600' } })
  })

  it.each([undefined, null, 'text', {}, new Error('no code'), Object.assign(new Error('x'), { code: 7 })])(
    'is broken when nothing is known but %o',
    error => {
      expect(failureOf(error, { isStarted: true, hasResponded: false })).toEqual({
        kind: 'broken',
        slow: false,
        cause: error,
      })
      expect(errorCode(error)).toBe('')
    },
  )
})
