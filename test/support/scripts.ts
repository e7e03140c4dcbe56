import type { OutgoingHttpHeaders } from 'node:http'
import type { Exchange, Script } from './exchange.ts'

/** The response of `echo`. */
export interface Echo {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}

/** Reads the body and tells what arrived. */
export const echo: Script = exchange => answerEcho(exchange, 200, {})

/** Like `echo`, with a status and header fields. */
export function echoWith(status: number, headers: OutgoingHttpHeaders = {}): Script {
  return exchange => answerEcho(exchange, status, headers)
}

async function answerEcho(exchange: Exchange, status: number, headers: OutgoingHttpHeaders): Promise<void> {
  await exchange.readBody()
  const { id, response, seen } = exchange
  const { method, url, bytes, sha256 } = seen
  const body = JSON.stringify({ id, method, url, bytes, sha256 })
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

/** Answers with a status and no body. */
export function bare(status: number, headers: OutgoingHttpHeaders = {}): Script {
  return async ({ response, readBody }) => {
    await readBody()
    response.writeHead(status, headers).end()
  }
}

/** Takes the request and says nothing. */
export const hang: Script = ({ readBody }) => readBody()

/** Takes the head and lets the connection go, as a server that crashes does. */
export const resetBeforeHead: Script = ({ request }) => {
  request.socket.resetAndDestroy()
}

/** Takes the head and ends the connection in good order, without an answer. */
export const closeBeforeHead: Script = ({ request }) => {
  request.socket.end()
}

/** Promises 1000 bytes (or an open end), gives ten and dies. */
export function resetMidBody(framing: 'content-length' | 'chunked'): Script {
  return async ({ request, response, readBody }) => {
    await readBody()
    response.writeHead(200, framing === 'chunked' ? {} : { 'Content-Length': 1000 })
    // Only once the piece is with the kernel: what a reset overtakes is lost.
    response.write('0123456789', () => setImmediate(() => request.socket.resetAndDestroy()))
  }
}

/** Answers with these bytes and then closes the connection, or leaves it open. */
export function rawAnswer(bytes: string | Buffer, then: 'close' | 'stay' = 'close'): Script {
  return async ({ request, readBody }) => {
    await readBody()
    const { socket } = request
    // A character beyond Latin-1 in a string is a mistake of the test.
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    if (then === 'close') socket.end()
  }
}

/** The first requests are done by these, one each; all others by the last. */
export function inTurn(...scripts: readonly [Script, ...Script[]]): Script {
  let turn = 0
  return exchange => {
    const script = scripts[Math.min(turn, scripts.length - 1)] ?? echo
    turn += 1
    return script(exchange)
  }
}
