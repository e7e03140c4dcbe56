import { once } from 'node:events'
import { get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listening } from '../listening.fixture.ts'
import { isWhole, watchResponse, writeResponse } from './response.ts'
import type { BackendResponse } from './backend-response.ts'
import { rawFields } from './raw-fields.ts'

interface Passing {
  readonly answer: BackendResponse
  /** To the client. */
  readonly response: ServerResponse
}

/** A port whose client gets the response of `backend` through `give`, and a promise of the first time. */
async function passing(
  backend: RequestListener,
  give: (response: ServerResponse, answer: BackendResponse) => void,
) {
  const backendPort = await listening(backend)
  const first = Promise.withResolvers<Passing>()
  const port = await listening((_request, response) => {
    const asked = get({ host: '127.0.0.1', port: backendPort, agent: false }, body => {
      const {
        connection: _,
        'transfer-encoding': __,
        'keep-alive': ___,
        ...headers
      } = rawFields(body.rawHeaders)
      const answer = { statusCode: body.statusCode ?? 0, headers, body }
      give(response, answer)
      first.resolve({ answer, response })
    })
    asked.on('error', () => {})
  })
  return { port, first: first.promise }
}

async function ask(port: number): Promise<IncomingMessage> {
  const asked = get({ host: '127.0.0.1', port, agent: false })
  const [message] = (await once(asked, 'response')) as [IncomingMessage]
  return message
}

/** Answers with more than any buffers hold. */
const flood: RequestListener = (_request, response) => {
  const piece = Buffer.alloc(1_000_000)
  let left = 40
  function write(): void {
    while (left > 0) {
      left -= 1
      if (!response.write(piece)) return void response.once('drain', write)
    }
    response.end()
  }
  response.writeHead(200, { 'Content-Length': left * piece.length })
  write()
}

describe('an answer that is written', () => {
  it('has status, fields and body of the backend, beside what the app has put there', async () => {
    const { port } = await passing(
      (_request, response) => {
        const fields = { 'X-Both': ['1', '2'], 'X-Backend': '1', 'Set-Cookie': ['b=2', 'c=3'] }
        response.writeHead(418, fields).end('tea')
      },
      (response, answer) => {
        response.statusCode = 500
        response.setHeader('X-Both', 'app').setHeader('X-App', '1').setHeader('Set-Cookie', 'a=1')
        writeResponse(response, answer)
      },
    )
    const message = await ask(port)
    expect([message.statusCode, await text(message)]).toEqual([418, 'tea'])
    expect(rawFields(message.rawHeaders)).toMatchObject({
      'x-both': ['1', '2'],
      'x-backend': '1',
      'x-app': '1',
      'set-cookie': ['a=1', 'b=2', 'c=3'],
    })
  })

  it('has no field that is not there', async () => {
    const { port } = await passing(
      (_request, response) => void response.end('x'),
      (response, { headers, ...answer }) => {
        writeResponse(response, { ...answer, headers: { ...headers, 'x-none': undefined } })
      },
    )
    const message = await ask(port)
    expect(message.headers).not.toHaveProperty('x-none')
    expect(await text(message)).toBe('x')
  })

  it('is there to its end when all of it is here in several pieces', async () => {
    const { port } = await passing(
      ({ socket }) => {
        const pieces = Array.from({ length: 5 }, (_, index) => `3\r\n${index},,\r\n`)
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces.join('')}0\r\n\r\n`)
      },
      (response, answer) => {
        setImmediate(() => {
          expect(isWhole(answer.body)).toBe(true)
          writeResponse(response, answer)
        })
      },
    )
    expect(await text(await ask(port))).toBe('0,,1,,2,,3,,4,,')
  })

  it.each(['chunked', 'of a length'])('is cut when the backend dies in the middle: %s', async framing => {
    const { port, first } = await passing(
      (_request, response) => {
        if (framing !== 'chunked') response.setHeader('Content-Length', 100)
        response.write('x', () => setImmediate(() => response.socket?.resetAndDestroy()))
      },
      (response, answer) => writeResponse(response, answer),
    )
    const message = await ask(port)
    await expect(text(message)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(message.complete).toBe(false)
    const { response } = await first
    expect([response.destroyed, response.writableFinished]).toEqual([true, false])
  })

  it('has its trailers', async () => {
    const { port } = await passing(
      (_request, response) => {
        response.writeHead(200, { Trailer: 'X-Sum, X-Two' }).write('body')
        response.addTrailers([
          ['X-Sum', 'abc'],
          ['X-Two', '1'],
          ['X-Two', '2'],
        ])
        response.end()
      },
      (response, answer) => writeResponse(response, answer),
    )
    const message = await ask(port)
    expect(await text(message)).toBe('body')
    expect(rawFields(message.rawTrailers)).toEqual({ 'x-sum': 'abc', 'x-two': ['1', '2'] })
  })
})

describe('the head of an answer', () => {
  const silent: RequestListener = (_request, response) => response.flushHeaders()

  it('does not wait for the body', async () => {
    const { port } = await passing(silent, (response, answer) => writeResponse(response, answer))
    const message = await ask(port)
    expect(message.statusCode).toBe(200)
    message.destroy()
  })

  it('waits until the body is sent to the client: until then the app may change it', async () => {
    const watched = await passing(silent, (response, answer) => watchResponse(response, answer))
    const asked = ask(watched.port)
    const { answer, response } = await watched.first
    await new Promise(resolve => {
      setImmediate(resolve)
    })
    expect(response.headersSent).toBe(false)
    response.setHeader('X-Late', '1')
    answer.body.pipe(response)
    const message = await asked
    expect(message.headers['x-late']).toBe('1')
    message.destroy()
  })

  it('comes with the first of the body where that is here', async () => {
    const { port, first } = await passing(
      (_request, response) => void response.writeHead(200, { 'Content-Length': 5 }).end('hello'),
      (response, answer) => {
        watchResponse(response, answer)
        answer.body.once('readable', () => {
          response.setHeader('Content-Length', 5)
          answer.body.pipe(response)
          expect(response.headersSent, 'with the body').toBe(false)
        })
      },
    )
    expect(await text(await ask(port))).toBe('hello')
    expect((await first).response.headersSent).toBe(true)
  })
})

describe('a client that takes nothing', () => {
  function give(stallMs: number) {
    return (response: ServerResponse, answer: BackendResponse) => {
      watchResponse(response, answer, stallMs)
      answer.body.pipe(response)
    }
  }

  it('is hung up on after a while, and the body is let go', async () => {
    const { port, first } = await passing(flood, give(150))
    const client = connect(port, '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.pause().write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const { answer, response } = await first
    await once(answer.body, 'pause')
    const paused = performance.now()
    await once(response, 'close')
    expect(performance.now() - paused).toBeGreaterThan(145)
    expect(response.writableFinished).toBe(false)
  })

  it('may take its time if it takes something now and then', async () => {
    const { port, first } = await passing(flood, give(1_500))
    const asked = get({ host: '127.0.0.1', port, agent: false })
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    const { answer } = await first
    let pauses = 0
    answer.body.on('pause', () => (pauses += 1))
    let received = 0
    let next = 8_000_000
    // More than the time in all, and less at once.
    for await (const piece of message as AsyncIterable<Buffer>) {
      received += piece.length
      if (received > next) {
        next += 8_000_000
        await delay(500)
      }
    }
    expect([received, message.complete]).toEqual([40_000_000, true])
    expect(pauses).toBeGreaterThan(1)
  })

  it('is not one whose answer is over, or has nothing to take', async () => {
    const { port, first } = await passing(
      (_request, response) => void response.write('data: 1\n\n'),
      give(50),
    )
    const message = await ask(port)
    await once(message, 'data')
    const { response } = await first
    // The test needs more than that time.
    await delay(200)
    expect([response.destroyed, message.destroyed]).toEqual([false, false])
    message.destroy()
  })
})
