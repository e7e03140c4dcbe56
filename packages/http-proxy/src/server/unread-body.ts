import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'

/** How often the pace of a body's rest is checked: nginx's `lingering_timeout`. */
const PACE_MS = 5_000
/** The longest time for the rest of a body: nginx's `lingering_time`. */
const MAX_MS = 30_000
const MIN_BYTES_PER_SECOND = 512

/** Requests that are watched already: a guarded server and an adapter may both ask. */
const watched = new WeakSet<IncomingMessage>()

/**
 * Bounds the time that the rest of a request's body holds its connection after the response. A backend may respond
 * before it has read the body, and Node waits for the rest without a limit. The client has 5 s to notice the response
 * and send the rest at 512 bytes a second, and 30 s in all; then the connection is closed. A stream of HTTP/2 is closed at
 * once with NO_ERROR, which asks the client to stop (RFC 9113 §8.1). For a server's `request` event.
 */
export function boundUnreadBody(
  request: IncomingMessage & { readonly stream?: ServerHttp2Stream },
  response: ServerResponse,
  paceMs = PACE_MS,
): void {
  const { headers, stream } = request
  const isShort = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  if ((stream === undefined && isShort) || watched.has(request)) return
  watched.add(request)
  response.once('close', () => {
    // The other listeners of this event stop reading the body.
    setImmediate(() => {
      // Node's own flag; the request of light-my-request has the stream's alone.
      if (request.complete || request.readableEnded) return
      if (stream === undefined) closeAfterRest(request, paceMs)
      else if (!isRead(request)) stream.close(constants.NGHTTP2_NO_ERROR)
    })
  })
}

function isRead(request: IncomingMessage): boolean {
  return request.listenerCount('data') + request.listenerCount('readable') > 0
}

function closeAfterRest(request: IncomingMessage, paceMs: number): void {
  const { socket } = request
  // An injected request has an object in the socket's place, and no connection to bound.
  if (!(socket instanceof Duplex) || socket.destroyed) return
  // Node reads a body that was never read, and leaves one that was read in part.
  if (!isRead(request)) request.resume()
  const endMs = performance.now() + MAX_MS
  let paced = socket.bytesRead
  const pace = setInterval(() => {
    const received = socket.bytesRead - paced
    paced = socket.bytesRead
    // No listener of the socket: a connection has many requests.
    if (request.complete || socket.destroyed) clearInterval(pace)
    else if (received * 1_000 < MIN_BYTES_PER_SECOND * paceMs || performance.now() >= endMs) socket.destroy()
  }, paceMs).unref()
  request.once('end', () => clearInterval(pace))
}
