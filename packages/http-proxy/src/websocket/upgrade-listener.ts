import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { markNominations } from '@limpet/core/adapter'
import type { NodeProxy } from '../http-proxy.ts'
import type { RequestFilter } from '../request-filter.ts'
import { refuseUpgrade } from './refused-upgrade.ts'
import { wireLine } from '../exchange/wire-line.ts'
import { closeOnError, isClaimedAlready, watchClaim } from './upgrade-claim.ts'
import { bareResponse, isBusy, isWebSocket } from './upgrade-request.ts'

/** For a server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The filters of listeners that were made here. */
const FILTERS = new WeakMap<object, RequestFilter>()

/** Sockets that a listener made here has taken, or has declined. */
const TAKEN = new WeakSet<Duplex>()

/**
 * A listener for a server's `upgrade` event; no other event reports such a request. WebSockets for
 * the pool are tunnelled. Any other protocol is declined, and the request served as a plain one
 * (RFC 9110 §7.8). If the server has other listeners, in whatever order, an upgrade that one of them claims is theirs:
 * see `watchClaim`. Unclaimed upgrades that are not the pool's go to another listener; where there is none, they are
 * served as plain requests. A listener of the application that calls this one has decided: then the upgrade is the pool's.
 */
export function upgradeListener(proxy: NodeProxy, isOurs: RequestFilter): UpgradeListener {
  const listener: UpgradeListener = (request, socket, head) => {
    const server = serverOf(socket)
    const all = server === undefined ? [] : listenersOf(server)
    // As the first listener it has the client's own header; behind another the application may have edited that.
    if (all[0] === listener) markNominations(request.headers)
    function take(): void {
      if (TAKEN.has(socket)) return
      TAKEN.add(socket)
      if (isWebSocket(request)) proxy.upgrade(request, socket, head)
      else declineUpgrade(server, request, socket, head)
    }
    if (!isTaken(isOurs, request)) {
      if (isUnclaimed(request, listener, all)) declineUpgrade(server, request, socket, head)
      else closeOnError(socket)
    } else if (server === undefined || !all.includes(listener) || all.every(other => FILTERS.has(other))) {
      take()
    } else {
      const isClaimed = claimOf(server, request, socket)
      process.nextTick(() => {
        if (isClaimed()) closeOnError(socket)
        else take()
      })
    }
  }
  FILTERS.set(listener, isOurs)
  return listener
}

/** The first listener of a server, which looks at each socket before the others can claim it. */
const FIRST = new WeakMap<EventEmitter, UpgradeListener>()

/** Whether an upgrade has been claimed, by the first look at its socket. */
const CLAIMS = new WeakMap<IncomingMessage, () => boolean>()

function listenersOf(server: EventEmitter): readonly object[] {
  return server.listeners('upgrade').filter(listener => listener !== FIRST.get(server))
}

/** Of the first upgrade of a server there was no look before the other listeners. */
function claimOf(server: EventEmitter, request: IncomingMessage, socket: Duplex): () => boolean {
  const known = CLAIMS.get(request)
  if (known !== undefined) return known
  if (!FIRST.has(server)) lookFirst(server)
  const isClaimed = watchClaim(socket)
  return isClaimedAlready(socket) ? () => true : isClaimed
}

function lookFirst(server: EventEmitter): void {
  const first: UpgradeListener = (request, socket, head) => {
    CLAIMS.set(request, watchClaim(socket))
    // The application has removed all others, so no other listener would respond.
    if (server.listenerCount('upgrade') === 1) declineUpgrade(server, request, socket, head)
  }
  FIRST.set(server, first)
  server.prependListener('upgrade', first)
}

/** A filter that throws claims nothing. The upgrade is declined and the request goes to the app, which gets the error. */
function isTaken(isOurs: RequestFilter, request: IncomingMessage): boolean {
  try {
    return isOurs(request)
  } catch {
    return false
  }
}

/** Whether `listener`, which does not claim it, must respond: no other listener would, and only one may. */
function isUnclaimed(request: IncomingMessage, listener: UpgradeListener, all: readonly object[]): boolean {
  if (all.length <= 1) return true
  if (all.at(-1) !== listener) return false
  return all.every(other => {
    const isTheirs = FILTERS.get(other)
    return isTheirs !== undefined && !isTaken(isTheirs, request)
  })
}

/** Serves `request` without its upgrade. A body that came with it cannot be read any more. */
export function declineUpgrade(
  server: EventEmitter | undefined,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { rawHeaders } = request
  const length = wireLine(rawHeaders, 'content-length') ?? '0'
  const hasBody = head.length > 0 || length !== '0' || wireLine(rawHeaders, 'transfer-encoding') !== undefined
  if (server === undefined || hasBody) {
    refuseUpgrade(socket, 400)
  } else {
    socket.on('error', () => socket.destroy())
    if (isBusy(socket)) socket.destroy()
    else server.emit('request', request, bareResponse(request, socket))
  }
}

/** Node keeps it on every socket that a server has accepted, without saying so in its types. */
function serverOf(socket: Duplex): EventEmitter | undefined {
  const server: unknown = Reflect.get(socket, 'server')
  return server instanceof EventEmitter ? server : undefined
}
