import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { HeaderFields } from '@limpet/core'
import { Client } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ResponseBody } from './response-body.ts'

const MEGABYTE = 1024 * 1024

async function serve(listener: RequestListener): Promise<Server & { readonly port: number }> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, { port: (server.address() as AddressInfo).port })
}

interface Relay {
  readonly port: number
  /** The bodies that were relayed. */
  readonly bodies: ResponseBody[]
  /** The answers that the backend was asked for. */
  readonly answers: ServerResponse[]
  /** Connections that the backend has taken. */
  connections: number
}

/** A server that passes answers on and does nothing else. */
async function relay(
  listener: RequestListener,
  { stallMs, trailers }: { stallMs?: number; trailers?: HeaderFields } = {},
): Promise<Relay> {
  const answers: ServerResponse[] = []
  const backend = await serve((request, response) => {
    answers.push(response.on('error', () => {}))
    listener(request, response)
  })
  const client = new Client(`http://127.0.0.1:${backend.port}`)
  onTestFinished(() => client.destroy())
  const bodies: ResponseBody[] = []
  const front = await serve((_request, response) => {
    let body: ResponseBody
    client.dispatch(
      { path: '/', method: 'GET' },
      {
        onRequestStart() {},
        onResponseStart(controller) {
          body = new ResponseBody(controller, response, stallMs)
          bodies.push(body)
          // As in Fastify: the end of one ends the other.
          response.once('close', () => body.destroy())
          body.once('error', () => response.destroy())
          body.pipe(response)
        },
        onResponseData: (_controller, chunk) => body.write(chunk),
        onResponseEnd: (_controller, received) => body.complete(trailers ?? received),
        onResponseError: (_controller, error) => void body.destroy(error),
      },
    )
  })
  const relayed: Relay = { port: front.port, bodies, answers, connections: 0 }
  backend.on('connection', () => (relayed.connections += 1))
  return relayed
}

async function ask({ port }: Relay): Promise<IncomingMessage> {
  const asked: ClientRequest = get({ port, host: '127.0.0.1', agent: false })
  asked.on('error', () => {})
  onTestFinished(() => void asked.destroy())
  const [message] = (await once(asked, 'response')) as [IncomingMessage]
  return message.on('error', () => {})
}

describe("a backend's body", () => {
  it('passes as it comes', async () => {
    const relayed = await relay((_request, response) => void response.write('hello '))
    const pieces = (await ask(relayed))[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('hello ')
    relayed.answers[0]?.end('world')
    expect(String((await pieces.next()).value)).toBe('world')
    expect((await pieces.next()).done).toBe(true)
  })

  it('is announced before there is any of it', async () => {
    const relayed = await relay((_request, response) => response.flushHeaders())
    const message = await ask(relayed)
    expect(message.statusCode).toBe(200)
    relayed.answers[0]?.end('at last')
    expect(await text(message)).toBe('at last')
  })

  it('forwards its trailers, without invalid ones', async () => {
    const trailers = {
      'x-sum': '1',
      'x-list': ['a', 'b'],
      'x bad': '2',
      'x-worse': 'a\u0001b',
      'x-last': '3',
    }
    const relayed = await relay((_request, response) => void response.end('hello'), { trailers })
    const message = await ask(relayed)
    expect(await text(message)).toBe('hello')
    expect(message.trailers).toEqual({ 'x-sum': '1', 'x-list': 'a, b', 'x-last': '3' })
  })

  it('leaves its connection to the next one', async () => {
    const relayed = await relay((_request, response) => void response.end('x'.repeat(200_000)))
    for (let time = 0; time < 3; time += 1) {
      expect((await text(await ask(relayed))).length).toBe(200_000)
    }
    expect(relayed.connections).toBe(1)
    expect(relayed.bodies.map(({ destroyed, errored }) => [destroyed, errored])).toEqual([
      [true, null],
      [true, null],
      [true, null],
    ])
  })

  it('comes no faster than the client takes it', async () => {
    const relayed = await relay(pour)
    const message = await ask(relayed)
    await once(message, 'readable')
    const [body] = relayed.bodies
    const [answer] = relayed.answers
    await expect.poll(() => [answer?.writableNeedDrain, answer?.destroyed]).toEqual([true, false])
    expect(body?.readableLength).toBeLessThan(MEGABYTE)
    expect(body?.destroyed).toBe(false)
  })

  it('is cut when the client takes nothing for the stall time [T-40]', async () => {
    const relayed = await relay(pour, { stallMs: 200 })
    const message = await ask(relayed)
    await once(message, 'readable')
    const begun = performance.now()
    const [body] = relayed.bodies
    const [answer] = relayed.answers
    if (body === undefined || answer === undefined) throw new Error('nothing was relayed')
    await Promise.all([closing(body), closing(answer)])
    expect(body.errored).toMatchObject({ message: 'the client stopped reading' })
    // It is counted from when all buffers on the way are full.
    expect(performance.now() - begun).toBeGreaterThan(190)
    expect(answer.writableFinished).toBe(false)
    await closing(message.resume())
    expect(message.complete).toBe(false)
  })

  it('is cut even when the backend has said all of it', async () => {
    const relayed = await relay((_request, response) => void response.end(Buffer.alloc(8 * MEGABYTE)), {
      stallMs: 200,
    })
    const message = await ask(relayed)
    await once(message, 'readable')
    const [body] = relayed.bodies
    if (body === undefined) throw new Error('nothing was relayed')
    await closing(body)
    expect(body.errored).toMatchObject({ message: 'the client stopped reading' })
  })

  it('is not cut while the client takes some of it now and then', async () => {
    // A pause of a slow machine may be a stall: then it is given twice the time, and so on.
    for (let stallMs = 400; ; stallMs *= 2) {
      const { taken, isCut, tookMs, longestMs } = await takeSlowly(48 * MEGABYTE, stallMs)
      if (isCut && longestMs > stallMs / 2 && stallMs < 10_000) continue
      expect([taken, isCut]).toEqual([48 * MEGABYTE, false])
      expect(tookMs, 'longer than one stall').toBeGreaterThan(2 * stallMs)
      break
    }
  })

  it('is not asked for any more when the client leaves', async () => {
    const relayed = await relay(pour)
    const message = await ask(relayed)
    await once(message, 'readable')
    const [answer] = relayed.answers
    if (answer === undefined) throw new Error('nothing was asked')
    message.destroy()
    await closing(answer)
    expect(answer.writableFinished).toBe(false)
  })

  it('takes nothing more once it is destroyed', async () => {
    const relayed = await relay((_request, response) => void response.write('hello'))
    const message = await ask(relayed)
    await once(message, 'readable')
    const [body] = relayed.bodies
    const [answer] = relayed.answers
    if (body === undefined || answer === undefined) throw new Error('nothing was relayed')
    body.destroy()
    const before = timers()
    body.write(Buffer.from('more'))
    expect(timers(), 'the timer of this client is gone').toBe(before)
    await closing(answer)
    expect([body.errored, body.readableLength]).toEqual([null, 0])
  })
})

/** A client that takes four megabytes at a time, with pauses of a quarter of the stall time. */
async function takeSlowly(size: number, stallMs: number) {
  const relayed = await relay((_request, response) => void response.end(Buffer.alloc(size)), { stallMs })
  const message = await ask(relayed)
  const begun = performance.now()
  let [taken, rest, longestMs, lastMs] = [0, 0, 0, begun]
  try {
    for await (const piece of message) {
      taken += (piece as Buffer).length
      rest += (piece as Buffer).length
      if (rest < 4 * MEGABYTE) continue
      rest = 0
      await delay(stallMs / 4)
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }
  } catch {
    // It was cut.
  }
  return { taken, isCut: !message.complete, tookMs: performance.now() - begun, longestMs }
}

function timers(): number {
  return process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
}

/** Unlike `once`, it does not mind an error. */
async function closing(stream: Readable | ServerResponse): Promise<void> {
  return new Promise(resolve => {
    stream.once('close', resolve)
  })
}

/** More than all buffers on the way can hold. */
function pour(_request: IncomingMessage, response: ServerResponse): void {
  const piece = Buffer.alloc(MEGABYTE)
  function more(): void {
    while (!response.destroyed) if (!response.write(piece)) break
  }
  response.on('drain', more)
  more()
}
