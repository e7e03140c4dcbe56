import { connect, type Socket } from 'node:net'
import type { FuzzedGateway } from './fuzzed-gateway.ts'
import { mutated, type Mutation } from './mutation.ts'
import type { Said } from './strict-backend.ts'
import { MalformedMessage, readResponse } from './wire-message.ts'

/** Sound responses, which are mutated. `ID` is that of the request. */
const RESPONSES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nX-Id: ID\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nX-Id: ID\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-Id: ID\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nX-Id: ID\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nX-Id: ID\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-Id: ID\r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.0 200 OK\r\nX-Id: ID\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: ID\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: ID\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 302 Found\r\nX-Id: ID\r\nLocation: /b\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 500 Oh\r\nX-Id: ID\r\nCache-Control: public, max-age=5\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\noh',
]
export const RESPONSE_COUNT = RESPONSES.length

const METHODS = ['GET', 'GET', 'HEAD', 'POST'] as const
/** Longer than the gateway waits for a backend. */
const QUIET_MS = 3_000

/** One mutated response, to the request of its number. */
export interface AskedMutation {
  readonly id: number
  readonly mutation: Mutation
}

/** The bytes that a backend says to the request of this number. */
export function mutatedResponse({ base, edits, split, ends }: Mutation, id: number): Said {
  const sound = RESPONSES[base] ?? ''
  const bytes = mutated(sound, edits).replaceAll('ID', `id-${id}-`)
  return { bytes, split, ends }
}

/**
 * Asks for each of them, one after the other, on one connection as long as the gateway keeps it.
 * @throws Error for a response that is none, or that is another request's
 */
export async function askForMutated(gateway: FuzzedGateway, asked: readonly AskedMutation[]): Promise<void> {
  let socket: Socket | undefined
  for (const { id, mutation } of asked) {
    if (socket === undefined || !socket.writable)
      socket = connect({ port: gateway.port, host: '127.0.0.1', noDelay: true })
    const method = METHODS[id % METHODS.length] ?? 'GET'
    const { received, isClosed, isWhole } = await ask(socket, method, id)
    const other = received.match(/id-\d+-/g)?.find(mark => mark !== `id-${id}-`)
    const show = (): string =>
      `${gateway.name}: ${method} ${JSON.stringify(mutatedResponse(mutation, id).bytes)} gave ${JSON.stringify(received)}`
    if (other !== undefined) throw new Error(`the response of another request: ${show()}`)
    if (!isWhole && !isClosed) throw new Error(`a response that does not end: ${show()}`)
    if (isWhole instanceof MalformedMessage) throw new Error(`${isWhole.message}: ${show()}`)
    if (isClosed) socket = undefined
  }
  socket?.destroy()
}

interface Answered {
  readonly received: string
  readonly isClosed: boolean
  readonly isWhole: boolean | MalformedMessage
}

async function ask(socket: Socket, method: string, id: number): Promise<Answered> {
  return new Promise(resolve => {
    let received = ''
    const timer = setTimeout(() => finish(false, false), QUIET_MS)
    function finish(isClosed: boolean, isWhole: Answered['isWhole']): void {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      if (!isWhole || isWhole !== true || isClosed) socket.destroy()
      resolve({ received, isClosed, isWhole })
    }
    function look(isClosed: boolean): void {
      const isWhole = wholeness(received, method === 'HEAD', isClosed)
      if (isWhole !== false || isClosed) finish(isClosed, isWhole)
    }
    socket
      .on('error', () => undefined)
      .on('data', (piece: Buffer) => {
        received += piece.toString('latin1')
        look(false)
      })
      .on('close', () => look(true))
    const body = method === 'POST' ? 'Content-Length: 2\r\n\r\nhi' : '\r\n'
    socket.write(`${method} /${id} HTTP/1.1\r\nHost: a\r\n${body}`)
  })
}

/** Whether all of a response is there, and nothing behind it. */
function wholeness(received: string, isHead: boolean, isClosed: boolean): Answered['isWhole'] {
  try {
    let rest = received
    for (;;) {
      const response = readResponse(rest, isHead, isClosed)
      if (response === undefined) return false
      rest = rest.slice(response.end)
      // 100 and 103 come before a response.
      if (response.start.startsWith('HTTP/1.1 1') && !response.start.startsWith('HTTP/1.1 101')) continue
      return rest === '' ? true : new MalformedMessage(`bytes behind a response: ${JSON.stringify(rest)}`)
    }
  } catch (error) {
    if (error instanceof MalformedMessage) return error
    throw error
  }
}
