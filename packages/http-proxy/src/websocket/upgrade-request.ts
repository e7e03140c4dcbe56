import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { lingerAtEnd } from '../server/linger.ts'
import { wireLine } from '../exchange/wire-line.ts'

/** Whether the client asks for a WebSocket, and for nothing else (RFC 6455 §4.2.1). Edited headers do not count. */
export function isWebSocket({ method, httpVersion, rawHeaders }: IncomingMessage): boolean {
  const tokens = (wireLine(rawHeaders, 'connection') ?? '').toLowerCase().split(',')
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    wireLine(rawHeaders, 'upgrade')?.toLowerCase() === 'websocket' &&
    tokens.some(token => token.trim() === 'upgrade')
  )
}

/** Whether an earlier request on this connection waits for its response. (Node checks the same field; there is no public one.) */
export function isBusy(socket: Duplex): boolean {
  return Reflect.get(socket, '_httpMessage') instanceof ServerResponse
}

/**
 * A response for a request from a server's `upgrade` event, which has none. Its connection ends with
 * it: the parser has released the socket, so no second request is read from it. While an earlier request still waits for its response, both end at once.
 */
export function bareResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  if (isBusy(socket)) {
    socket.destroy()
    response.destroy()
    return response
  }
  response.assignSocket(socket as Socket)
  // No other listener notices any more when the client leaves.
  socket.once('end', () => {
    if (response.socket === socket) socket.destroy()
  })
  response.once('finish', () => {
    response.detachSocket(socket as Socket)
    lingerAtEnd(socket)
    socket.end()
    response.emit('close')
  })
  return response
}
