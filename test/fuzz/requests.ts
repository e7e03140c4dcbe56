import { connect } from 'node:net'
import type { FuzzedGateway } from './fuzzed-gateway.ts'
import { mutated, type Mutation } from './mutation.ts'
import { say } from './strict-backend.ts'
import { MalformedMessage, readResponse } from './wire-message.ts'

/** Sound requests, which are mutated. */
export const REQUESTS: readonly string[] = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD /a?b=c HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\nCookie: a=b; SERVERID=v1.x.y; c=d\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n',
  'DELETE /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  'GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
]

/** The last request of a connection: what comes before it is complete, or swallows it. */
const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
/** A client that waits for the rest of a response gives up after this long. */
const QUIET_MS = 150
/** More than a mutated request of ours can lead to, however it is read. */
const MAX_RESPONSES = 24

/** Sends a mutated request, and a sound one behind it. @throws Error for a response that is none */
export async function sendMutated({ port }: FuzzedGateway, mutation: Mutation): Promise<void> {
  const bytes = mutated(REQUESTS[mutation.base] ?? '', mutation.edits)
  const isHead = bytes.includes('HEAD')
  const text = await exchange(port, bytes + LAST, mutation)
  try {
    readAll(text.received, text.isClosed, isHead)
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error
    throw new Error(`${JSON.stringify(bytes)} got ${JSON.stringify(text.received)}: ${error.message}`, {
      cause: error,
    })
  }
}

async function exchange(
  port: number,
  bytes: string,
  { split, ends }: Mutation,
): Promise<{ received: string; isClosed: boolean }> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    let isClosed = false
    const timer = setTimeout(() => {
      if (ends) socket.resetAndDestroy()
      else socket.destroy()
      resolve({ received, isClosed })
    }, QUIET_MS)
    socket
      .on('error', () => undefined)
      .on('data', (piece: Buffer) => {
        received += piece.toString('latin1')
        timer.refresh()
      })
      .on('end', () => (isClosed = true))
      .on('close', () => {
        clearTimeout(timer)
        resolve({ received, isClosed })
      })
    say(socket, { bytes, split })
  })
}

/** Whether what a client received is responses, one behind the other; the last may be incomplete. */
function readAll(received: string, isClosed: boolean, mayBeHead: boolean): void {
  let rest = received
  for (let count = 0; rest !== ''; count += 1) {
    if (count > MAX_RESPONSES) throw new MalformedMessage(`more than ${MAX_RESPONSES} responses`)
    // A tunnel is the backend's.
    if (rest.startsWith('HTTP/1.1 101 ')) return
    const response = readResponse(rest, false, isClosed)
    if (response === undefined) {
      if (!mayBeHead) return
      const head = readResponse(rest, true, isClosed)
      if (head === undefined) return
      rest = rest.slice(head.end)
      continue
    }
    // A response to HEAD is followed by another, or by nothing.
    const asHead = mayBeHead ? readResponse(rest, true, isClosed) : undefined
    const isHead = asHead !== undefined && rest.startsWith('HTTP/1.1 ', asHead.end)
    rest = rest.slice(isHead ? asHead.end : response.end)
  }
}
