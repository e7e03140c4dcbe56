import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { OptionError } from '@limpet/core'
import { closingAnswer } from './closing-answer.ts'
import type { HttpProxy } from './http-proxy.ts'
import { bareResponse, isWebSocket } from './upgrade-request.ts'

/** Whether a request is a pool's. Of an upgrade there is no more than the bare request to look at. */
export type RequestFilter = (request: IncomingMessage) => boolean

/** @throws OptionError for what is no function. */
export function requestFilter(filter: RequestFilter | undefined): RequestFilter {
  if (filter === undefined) return () => true
  if (typeof filter !== 'function') throw new OptionError('filter', filter, 'a function of the request')
  return filter
}

/** For a server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * A listener for a server's `upgrade` event, which is the only one to hear of such a request. WebSockets of the
 * pool's are tunnelled; any other protocol is declined, and the request answered as if it had not asked
 * (RFC 9110 §7.8). What is not the pool's is another listener's; where there is none, it is answered all the same.
 */
export function upgradeListener(proxy: HttpProxy, isOurs: RequestFilter): UpgradeListener {
  return (request, socket, head) => {
    const server = serverOf(socket)
    if (isOurs(request)) {
      if (isWebSocket(request)) proxy.upgrade(request, socket, head)
      else declineUpgrade(server, request, socket, head)
    } else if (server === undefined || server.listenerCount('upgrade') === 1) {
      declineUpgrade(server, request, socket, head)
    }
  }
}

/** Serves `request` without its upgrade. A body that came with it cannot be read any more. */
export function declineUpgrade(
  server: EventEmitter | undefined,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  socket.on('error', () => socket.destroy())
  const { headers } = request
  const length = headers['content-length'] ?? '0'
  const hasBody = head.length > 0 || length !== '0' || headers['transfer-encoding'] !== undefined
  if (server === undefined || hasBody) socket.end(closingAnswer(400))
  else server.emit('request', request, bareResponse(request, socket))
}

/** Node keeps it on every socket that a server has accepted, without saying so in its types. */
function serverOf(socket: Duplex): EventEmitter | undefined {
  const server: unknown = Reflect.get(socket, 'server')
  return server instanceof EventEmitter ? server : undefined
}
