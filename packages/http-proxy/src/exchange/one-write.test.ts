import type { RequestListener } from 'node:http'
import { expect, it } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { endInOneWrite } from './one-write.ts'

/** The head and the body that a server writes for one request, byte for byte. */
async function written(listener: RequestListener, method = 'GET'): Promise<Buffer> {
  const socket = await connectedTo(listener)
  socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function bodyOf(message: Buffer): Buffer {
  return message.subarray(message.indexOf('\r\n\r\n') + 4)
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

it.each([0, 1, 8, 9, 40])('sends %i times every byte as they are', async times => {
  const body = Buffer.concat(Array.from({ length: times }, () => EVERY_BYTE))
  const message = await written((_request, response) => {
    response.setHeader('Content-Length', body.length)
    endInOneWrite(response)
    response.end(body)
  })
  expect(bodyOf(message)).toEqual(body)
})

it('gives a response without a length that of its bytes', async () => {
  const message = await written((_request, response) => {
    endInOneWrite(response)
    response.end(EVERY_BYTE)
  })
  expect(message.toString('latin1')).toContain('\r\nContent-Length: 256\r\n')
  expect(bodyOf(message)).toEqual(EVERY_BYTE)
})

it('sends texts, and responses without a body, as ever', async () => {
  const text = await written((_request, response) => {
    endInOneWrite(response)
    response.end('é')
  })
  expect(bodyOf(text).toString()).toBe('é')
  const head = await written((_request, response) => {
    endInOneWrite(response)
    response.end(EVERY_BYTE)
  }, 'HEAD')
  expect(bodyOf(head)).toHaveLength(0)
})

it('calls back when the response has ended', async () => {
  const ended: string[] = []
  await written((_request, response) => {
    endInOneWrite(response)
    response.end(EVERY_BYTE, () => void ended.push('second argument'))
  })
  await written((_request, response) => {
    endInOneWrite(response)
    response.end(EVERY_BYTE, 'utf8', () => void ended.push('third argument'))
  })
  expect(ended).toEqual(['second argument', 'third argument'])
})

it('leaves alone an end that other code has replaced', async () => {
  const seen: unknown[] = []
  await written((_request, response) => {
    const end = response.end.bind(response)
    response.end = ((chunk: unknown) => {
      seen.push(chunk)
      return end(chunk)
    }) as typeof response.end
    endInOneWrite(response)
    response.end(EVERY_BYTE)
  })
  expect(seen).toEqual([EVERY_BYTE])
})
