import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestView } from '@limpet/core'
import { markNominations } from '@limpet/core/adapter'
import {
  bareResponse,
  closeOnError,
  declineUpgrade,
  isWebSocket,
  type NodeProxy,
  watchClaim,
} from '@limpet/http-proxy/transport'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { serverState } from './server-state.ts'

/**
 * Sends the upgrades of `scope`'s routes through the application like any request, so that its hooks (authentication,
 * rate limits) run. If the server has other listeners of `upgrade`, they come first: an upgrade that one of them
 * claims, or that is under no prefix of limpet, is left to them. @fastify/websocket claims every upgrade and routes
 * it through the application, where limpet's routes take theirs.
 */
export function routeUpgrades(scope: FastifyInstance): void {
  const { server, prefix } = scope
  const { upgradePrefixes, handshakes } = serverState(scope)
  const isFirst = upgradePrefixes.size === 0
  upgradePrefixes.add(prefix)
  if (!isFirst) return
  // First, because another listener may route the upgrade to a route of limpet at once.
  server.prependListener('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Before the application's hooks, which may set a field to the client's own value.
    markNominations(request.headers)
    if (isWebSocket(request)) handshakes.set(request, { socket, head })
    if (server.listenerCount('upgrade') === 1) {
      routeUpgrade(server, request, socket, head)
    } else if (isUnder(request.url ?? '', upgradePrefixes)) {
      const isClaimed = watchClaim(socket)
      process.nextTick(() => {
        if (isClaimed()) closeOnError(socket)
        else routeUpgrade(server, request, socket, head)
      })
    } else {
      closeOnError(socket)
    }
  })
}

function routeUpgrade(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  if (!isWebSocket(request)) {
    declineUpgrade(server, request, socket, head)
    return
  }
  // From the first moment: nothing else listens while the application's hooks run.
  socket.on('error', () => socket.destroy())
  server.emit('request', request, bareResponse(request, socket))
}

/** Whether the request of `reply` is a WebSocket handshake that came by the server's `upgrade` event. */
export function isHandshake(reply: FastifyReply): boolean {
  return serverState(reply.server).handshakes.has(reply.request.raw)
}

/** Gives the socket of `reply`'s request to a backend if it is a handshake; false for any other request. */
export function forwardUpgrade(reply: FastifyReply, proxy: NodeProxy, view?: RequestView): boolean {
  const { raw } = reply.request
  const handshake = serverState(reply.server).handshakes.get(raw)
  if (handshake === undefined) return false
  const { socket, head } = handshake
  reply.hijack()
  reply.raw.detachSocket(socket)
  proxy.upgrade(raw, socket, head, view)
  return true
}

/**
 * Whether the router may find `url` under one of the prefixes. The router has the last word: it gives 404 for the others. A
 * parameter of a prefix takes any value. Without a prefix every target is under it, `*` too.
 */
function isUnder(url: string, prefixes: ReadonlySet<string>): boolean {
  const asked = segmentsOf(url.replace(ORIGIN, ''))
  return [...prefixes].some(prefix =>
    segmentsOf(prefix).every((segment, index) => segment.includes(':') || segment === asked[index]),
  )
}

/** The origin of an absolute target (RFC 9112 §3.2.2). */
const ORIGIN = /^https?:\/\/[^/?#]*/i

/** Routers may ignore empty segments, case and percent-encoding. */
function segmentsOf(url: string): readonly string[] {
  const [path = ''] = url.split(/[?#;]/, 1)
  return path.split('/').flatMap(segment => (segment === '' ? [] : decoded(segment).toLowerCase()))
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
