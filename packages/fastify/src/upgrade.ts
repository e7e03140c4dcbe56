import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestView } from '@limpet/core'
import { bareResponse, declineUpgrade, type HttpProxy, isWebSocket } from '@limpet/http-proxy'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** A WebSocket handshake on its way through the app. */
interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
  /** Where the app's hooks answer it, when they do. */
  readonly response: ServerResponse
}

const UPGRADES = new WeakMap<IncomingMessage, Upgrade>()

/** The prefixes under which limpet has routes, for each server. */
const PREFIXES = new WeakMap<object, Set<string>>()

/**
 * Sends the upgrades of `scope`'s routes through the app like any request, so that its hooks (auth, rate limits) run.
 * What is under no prefix of ours is left to another listener, such as @fastify/websocket; where there is none, the
 * app answers it all the same.
 */
export function routeUpgrades({ server, prefix }: FastifyInstance): void {
  const prefixes = PREFIXES.get(server)
  if (prefixes !== undefined) {
    prefixes.add(prefix)
    return
  }
  const ours = new Set([prefix])
  PREFIXES.set(server, ours)
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (server.listenerCount('upgrade') > 1 && !isUnder(request.url ?? '', ours)) return
    if (isWebSocket(request)) routeUpgrade(server, request, socket, head)
    else declineUpgrade(server, request, socket, head)
  })
}

function routeUpgrade(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  // From the first moment: nobody else listens while the app's hooks run.
  socket.on('error', () => socket.destroy())
  const response = bareResponse(request, socket)
  UPGRADES.set(request, { socket, head, response })
  server.emit('request', request, response)
}

/** Gives the socket of `reply`'s request to a backend when it is a handshake; false for any other request. */
export function forwardUpgrade(reply: FastifyReply, proxy: HttpProxy, view?: RequestView): boolean {
  const { raw } = reply.request
  const upgrade = UPGRADES.get(raw)
  if (upgrade === undefined) return false
  const { socket, head, response } = upgrade
  reply.hijack()
  response.detachSocket(socket)
  proxy.upgrade(raw, socket, head, view)
  return true
}

function isUnder(url: string, prefixes: ReadonlySet<string>): boolean {
  return [...prefixes].some(prefix => {
    const next = url[prefix.length]
    return (
      url.startsWith(prefix) && (prefix.endsWith('/') || next === undefined || next === '/' || next === '?')
    )
  })
}
