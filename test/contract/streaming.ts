import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { open, type Opened } from '../support/http-client.ts'
import { openRaw } from '../support/raw-client.ts'
import type { RunningGateway, Start } from './start.ts'

const MEGABYTE = 1024 * 1024

/** Bodies that take their time, and those that are too fast. */
export function streaming(start: Start): void {
  describe('streaming', () => {
    test('events arrive one by one, each before the next is sent', async () => {
      const { gateway, answering } = await eventSource()
      const arriving = pieces(await open(gateway.port))
      const response = await answering
      for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        response.write(event)
        expect(await arriving.next()).toBe(event)
        expect(gateway.view({ id: 'w1' }).inFlight).toBe(1)
      }
      response.end()
      expect(await arriving.next()).toBe('the end')
    })

    test('the head arrives before there is a body', async () => {
      const { gateway, answering } = await eventSource()
      const opened = await open(gateway.port)
      expect(opened.message.headers['content-type']).toBe('text/event-stream')
      const response = await answering
      response.end()
      expect(await pieces(opened).next()).toBe('the end')
    })

    test('a quiet stream is not cut by the time that a head may take', async () => {
      const { gateway, answering } = await eventSource({ response: 200 })
      const arriving = pieces(await open(gateway.port))
      const response = await answering
      response.write('data: 1\n\n')
      expect(await arriving.next()).toBe('data: 1\n\n')
      // This wait is what the test is about: longer than the timeout, in any coarse reckoning of it.
      await delay(1_300)
      response.end('data: 2\n\n')
      expect(await arriving.next()).toBe('data: 2\n\n')
      expect(await arriving.next()).toBe('the end')
    })

    test('a client that reads slowly slows the backend down, and memory does not pay for it', async () => {
      let written = 0
      const total = 96 * MEGABYTE
      const w1 = await startBackend('w1', async ({ response }) => {
        response.writeHead(200, { 'Content-Length': total })
        const piece = Buffer.alloc(MEGABYTE)
        for (; written < total; written += MEGABYTE) if (!response.write(piece)) await once(response, 'drain')
        response.end()
      })
      const gateway = await start([w1])
      const { message } = await open(gateway.port)
      message.pause()
      await untilStill(() => written)
      expect(written).toBeLessThan(total / 2)
      let read = 0
      message.on('data', (piece: Buffer) => (read += piece.length)).resume()
      await once(message, 'end')
      expect(read).toBe(total)
    })

    test('a backend that reads slowly slows the client down, and memory does not pay for it [T-42]', async () => {
      const total = 96 * MEGABYTE
      const { promise: allowed, resolve: readOn } = Promise.withResolvers<void>()
      const w1 = await startBackend('w1', async ({ response, readBody, seen }) => {
        await allowed
        await readBody()
        response.end(String(seen.bytes))
      })
      const gateway = await start([w1], { bodyLimit: total })
      const client = await openRaw(gateway.port)
      client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\nConnection: close\r\n\r\n`)
      client.socket.write(Buffer.alloc(total))
      await w1.arrival()
      await untilStill(() => client.socket.bytesWritten - client.socket.writableLength)
      expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(total / 2)
      readOn()
      await client.until(received => received.endsWith(String(total)), 15_000)
      expect(w1.last.bytes).toBe(total)
    })

    test('trailers arrive after a body in chunks', async () => {
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(200, { Trailer: 'X-Checksum, Server-Timing' })
        response.write('body')
        response.addTrailers({ 'X-Checksum': 'abc', 'Server-Timing': 'db;dur=5' })
        response.end()
      })
      const gateway = await start([w1])
      const answer = await gateway.ask({ headers: { TE: 'trailers' } })
      expect([answer.text, answer.complete]).toEqual(['body', true])
      const trailers = answer.trailers.map(([name, value]) => [name.toLowerCase(), value])
      expect(trailers).toEqual([
        ['x-checksum', 'abc'],
        ['server-timing', 'db;dur=5'],
      ])
    })

    test('an old client gets the body without chunks, ended by the connection', async () => {
      const { gateway, answering } = await eventSource()
      const client = await openRaw(gateway.port)
      client.write('GET / HTTP/1.0\r\n\r\n')
      const response = await answering
      response.write('one')
      response.end('two')
      await client.until(() => false)
      expect(client.closed).toBe(true)
      expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(client.received).toMatch(/\r\n\r\nonetwo$/)
      expect(client.received).not.toMatch(/transfer-encoding/i)
    })

    /** A backend that leaves its answer to the test, behind a gateway. */
    async function eventSource(
      timeouts = {},
    ): Promise<{ gateway: RunningGateway; w1: Backend; answering: Promise<ServerResponse> }> {
      const { promise: answering, resolve } = Promise.withResolvers<ServerResponse>()
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
        resolve(response)
      })
      return { gateway: await start([w1], { timeouts }), w1, answering }
    }
  })
}

/** A body piece by piece. */
function pieces({ message }: Opened): { next(): Promise<string> } {
  const iterator = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return {
    async next() {
      const { done, value } = await iterator.next()
      return done === true ? 'the end' : value.toString()
    },
  }
}

/** Settles once a number has not grown for a while: there is no event for what does not happen any more. */
async function untilStill(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count()
    await delay(150)
  }
}
