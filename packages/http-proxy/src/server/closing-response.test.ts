import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { NoBackendError, RefusedRequestError } from '@limpet/core/adapter'
import { describe, expect, it } from 'vitest'
import { listening } from '../listening.fixture.ts'
import { closingResponse, closingError, writeError } from './closing-response.ts'

async function ask(port: number, method = 'GET'): Promise<{ message: IncomingMessage; body: string }> {
  const asked = request({ port, host: '127.0.0.1', method, agent: false }).end()
  const [message] = (await once(asked, 'response')) as [IncomingMessage]
  return { message, body: await text(message) }
}

describe('an answer on a bare socket', () => {
  /** A client's parsed view of these bytes. */
  async function read(bytes: string) {
    const server = createServer(socket => {
      socket.on('error', () => {}).once('data', () => socket.end(bytes))
    })
    return ask(await listening(server))
  }

  it.each([
    [400, 'Bad Request'],
    [431, 'Request Header Fields Too Large'],
    [501, 'Not Implemented'],
    [599, 'Error'],
  ])('can be read: %i %s', async (status, name) => {
    const { message, body } = await read(closingResponse(status))
    expect([message.statusCode, message.statusMessage, message.complete]).toEqual([status, name, true])
    expect(body).toBe(`${status} ${name}\n`)
    expect(message.headers).toEqual({
      connection: 'close',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(body.length),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('may have more fields, but none instead of its own', async () => {
    const more = { 'retry-after': '1', connection: 'keep-alive', 'content-length': '9999' }
    const { message, body } = await read(closingResponse(503, more))
    expect([message.headers['retry-after'], message.headers.connection]).toEqual(['1', 'close'])
    expect(body).toBe('503 Service Unavailable\n')
  })

  it('has those of an error', async () => {
    const { message, body } = await read(closingError(new NoBackendError()))
    expect([message.statusCode, message.headers['retry-after']]).toEqual([503, '1'])
    expect(body).toBe('503 Service Unavailable\n')
  })
})

describe('an error on a response', () => {
  async function listenWith(answer: (response: ServerResponse) => void): Promise<number> {
    return listening(createHttpServer((_request, response) => answer(response)))
  }

  it('is its status, its fields, and not its message', async () => {
    const error = new RefusedRequestError(413, 'body_limit', 'inside')
    const { message, body } = await ask(await listenWith(response => writeError(response, error)))
    expect([message.statusCode, body]).toEqual([413, '413 Payload Too Large\n'])
    expect(message.headers).toMatchObject({
      connection: 'close',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-type': 'text/plain; charset=utf-8',
    })
  })

  it('leaves what the app has put there', async () => {
    const port = await listenWith(response => {
      response.setHeader('X-App', '1').setHeader('Set-Cookie', ['a=1', 'b=2'])
      writeError(response, new NoBackendError())
    })
    const { message } = await ask(port)
    expect([message.headers['x-app'], message.headers['set-cookie']]).toEqual(['1', ['a=1', 'b=2']])
    expect(message.headers['retry-after']).toBe('1')
  })

  it('has no body for HEAD', async () => {
    const port = await listenWith(response => writeError(response, new NoBackendError()))
    const { message, body } = await ask(port, 'HEAD')
    expect([message.statusCode, body, message.complete]).toEqual([503, '', true])
  })

  it('does not wait for the rest of a request, and ends the connection', async () => {
    const port = await listenWith(response => writeError(response, new NoBackendError()))
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nfirst')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/)
    expect(socket.readableEnded).toBe(true)
  })
})
