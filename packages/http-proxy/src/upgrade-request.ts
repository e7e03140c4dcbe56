import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whether this asks for a WebSocket, and for nothing else (RFC 6455 §4.2.1). */
export function isWebSocket(request: IncomingMessage): boolean {
  const { method, httpVersion, headers } = request
  const tokens = (headers.connection ?? '').toLowerCase().split(',')
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    tokens.some(token => token.trim() === 'upgrade')
  )
}

/**
 * A response for a request that came by a server's `upgrade` event, where there is none. Its connection ends with
 * it: the parser has let go of the socket, and nobody reads a second request from it.
 */
export function bareResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.once('finish', () => {
    response.detachSocket(socket as Socket)
    socket.end()
    response.emit('close')
  })
  return response
}
