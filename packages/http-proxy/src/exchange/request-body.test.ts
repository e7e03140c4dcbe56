import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { RequestBody } from './request-body.ts'

interface Upload {
  readonly client: Socket
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: RequestBody
  /** Number of calls of `onProgress`. */
  progress: number
}

/** An upload whose head has arrived; the test sends the rest. */
async function upload(framing: string, { limit = Infinity, graceMs = 5_000 } = {}): Promise<Upload> {
  const server = createServer({ requestTimeout: 0 })
  const arrived = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>
  const client = await connectedTo(server)
  client.on('error', () => {})
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`)
  const [request, response] = await arrived
  const body = new RequestBody(request, limit, () => (up.progress += 1), graceMs)
  const up: Upload = { client, request, response, body, progress: 0 }
  return up
}

/** The end of the body: all of it, or an error. */
async function outcome(body: RequestBody): Promise<unknown> {
  return buffer(body).then(
    all => all.length,
    (error: unknown) => error,
  )
}

/** Unlike `once`, it does not mind an error. */
async function closing(stream: Readable): Promise<void> {
  return new Promise(resolve => {
    stream.once('close', resolve)
  })
}

describe("a client's body", () => {
  it('passes as it comes, and each step of it is progress', async () => {
    const up = await upload('Content-Length: 11')
    const pieces = up.body[Symbol.asyncIterator]()
    const told: number[] = []
    for (const piece of ['hello ', 'world']) {
      up.client.write(piece)
      expect(String((await pieces.next()).value)).toBe(piece)
      told.push(up.progress)
    }
    expect((await pieces.next()).done).toBe(true)
    expect([...told, up.progress]).toEqual([1, 2, 3])
  })

  it('is not touched before it is read, and then it is complete', async () => {
    const { client, request, body } = await upload('Content-Length: 11')
    client.write('hello world')
    await once(request, 'readable')
    request.removeAllListeners('readable')
    expect([request.readableDidRead, body.readableLength]).toEqual([false, 0])
    expect(await outcome(body)).toBe(11)
  })

  it('is read no faster than the backend takes it', async () => {
    const { client, request, body } = await upload('Content-Length: 10000000')
    client.write(Buffer.alloc(10_000_000))
    const read = body[Symbol.asyncIterator]()
    await read.next()
    await once(request, 'pause')
    expect(body.readableLength).toBeLessThan(200_000)
    await read.return?.()
  })

  describe('with a limit', () => {
    it.each(['Content-Length: 10', 'Transfer-Encoding: chunked'])(
      'may have so many bytes: %s',
      async framing => {
        const { client, body } = await upload(framing, { limit: 10 })
        client.write(framing.endsWith('chunked') ? '5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n' : 'helloworld')
        expect(await outcome(body)).toBe(10)
      },
    )

    it.each(['Content-Length: 11', 'Transfer-Encoding: chunked'])(
      'may not have one more: %s',
      async framing => {
        const { client, body } = await upload(framing, { limit: 10 })
        client.write(framing.endsWith('chunked') ? '5\r\nhello\r\n6\r\nworlds\r\n0\r\n\r\n' : 'helloworlds')
        expect(await outcome(body)).toMatchObject({ statusCode: 413, reason: 'body_limit' })
      },
    )
  })

  describe('at its pace', () => {
    it.each([
      ['nothing', ''],
      ['a trickle', '.'],
    ])('is too slow when %s comes for the grace time [T-40]', async (_, drop) => {
      const { client, body } = await upload('Content-Length: 1000', { graceMs: 200 })
      const trickle = setInterval(() => client.write(drop), 20)
      onTestFinished(() => clearInterval(trickle))
      const begun = performance.now()
      expect(await outcome(body)).toMatchObject({ statusCode: 408, reason: 'slow_body' })
      expect(performance.now() - begun).toBeGreaterThan(190)
      expect(performance.now() - begun).toBeLessThan(1_000)
    })

    it('is too slow, too, when it was fast to begin with', async () => {
      const { client, body } = await upload('Content-Length: 1000000', { graceMs: 150 })
      client.write(Buffer.alloc(50_000))
      const begun = performance.now()
      expect(await outcome(body)).toMatchObject({ statusCode: 408, reason: 'slow_body' })
      expect(performance.now() - begun).toBeLessThan(1_000)
    })

    it('may go on as long as it likes at 512 bytes a second', async () => {
      const { client, body } = await upload('Content-Length: 2000', { graceMs: 400 })
      const ended = outcome(body)
      // 205 bytes in every 400 ms would do; there is time for a busy machine.
      for (let sent = 0; sent < 2000; sent += 100) {
        client.write(Buffer.alloc(100))
        await delay(50)
      }
      expect(await ended).toBe(2000)
    })

    it('has its time from the moment of the first read', async () => {
      const { client, body } = await upload('Content-Length: 1000', { graceMs: 300 })
      await delay(200)
      const ended = outcome(body)
      await delay(200)
      client.write(Buffer.alloc(1000))
      expect(await ended).toBe(1000)
    })

    it('is not blamed for a backend that does not read', async () => {
      const { client, request, body } = await upload('Content-Length: 1000000', { graceMs: 100 })
      client.write(Buffer.alloc(1_000_000))
      body.read(0)
      await once(request, 'pause')
      await delay(350)
      expect(body.errored).toBeNull()
      expect(await outcome(body)).toBe(1_000_000)
    })

    it('is not blamed for the time before a backend began to read again', async () => {
      const { client, request, body } = await upload('Content-Length: 200000', { graceMs: 300 })
      client.write(Buffer.alloc(150_000))
      body.read(0)
      await once(request, 'pause')
      // Into the second period: by its end the client has had but half of it.
      await delay(450)
      const ended = outcome(body)
      await delay(200)
      client.write(Buffer.alloc(50_000))
      expect(await ended).toBe(200_000)
    })

    it('is not measured once it is all here', async () => {
      const { client, request, body } = await upload('Content-Length: 10', { graceMs: 50 })
      client.write('helloworld')
      body.read(0)
      await once(request, 'end')
      await delay(150)
      expect(await outcome(body)).toBe(10)
    })
  })

  describe('that breaks', () => {
    it('is an error when the client leaves in the middle', async () => {
      const { client, request, body } = await upload('Content-Length: 11')
      const ended = outcome(body)
      client.write('hello', () => client.resetAndDestroy())
      expect(await ended).toBeInstanceOf(Error)
      expect(request.complete).toBe(false)
    })

    it('is an error when the client ends its side in the middle', async () => {
      const { client, body } = await upload('Transfer-Encoding: chunked')
      const ended = outcome(body)
      client.end('5\r\nhello\r\n')
      expect(await ended).toBeInstanceOf(Error)
    })

    it('leaves the connection alone when a backend has failed: the client is to get an answer', async () => {
      const { client, request, response, body } = await upload('Content-Length: 11')
      client.write('hello')
      await once(body, 'data')
      body.destroy(new Error('the backend has died'))
      await closing(body)
      expect([request.destroyed, client.destroyed]).toEqual([false, false])
      response.writeHead(502, { Connection: 'close' }).end('sorry')
      const [said] = await once(client, 'data')
      expect(String(said)).toMatch(/^HTTP\/1\.1 502 /)
    })

    it('reports no error when it is no longer read and the client leaves', async () => {
      const { client, request, body } = await upload('Content-Length: 11')
      client.write('hello')
      await once(body, 'data')
      body.destroy()
      client.resetAndDestroy()
      await closing(request)
      expect(body.errored).toBeNull()
    })
  })
})
