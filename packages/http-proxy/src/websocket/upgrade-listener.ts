import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { markNominations, OptionError } from '@limpet/core'
import type { HttpProxy } from '../http-proxy.ts'
import { refuseUpgrade } from './refused-upgrade.ts'
import { wireLine } from '../exchange/wire-line.ts'
import { bareResponse, isBusy, isWebSocket } from './upgrade-request.ts'

/** Whether a request is a pool's. Of an upgrade there is no more than the bare request to look at. */
export type RequestFilter = (request: IncomingMessage) => boolean

/**
 * A filter that gets `url`, the whole request target, where a router has shortened that of the request. The target
 * of an upgrade is always whole.
 * @throws OptionError for a value that is no function.
 */
export function requestFilter(
  filter: RequestFilter | undefined,
): (request: IncomingMessage, url?: string) => boolean {
  if (filter === undefined) return () => true
  if (typeof filter !== 'function') throw new OptionError('filter', filter, 'a function of the request')
  return (request, url) => {
    const { url: cut } = request
    if (cut === undefined || url === undefined || url === cut) return filter(request)
    request.url = url
    try {
      return filter(request)
    } finally {
      request.url = cut
    }
  }
}

/** For a server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The filters of listeners that were made here. */
const FILTERS = new WeakMap<object, RequestFilter>()

/**
 * A listener for a server's `upgrade` event; no other event reports such a request. WebSockets for
 * the pool are tunnelled. Any other protocol is declined, and the request served as a plain one
 * (RFC 9110 §7.8). Unclaimed upgrades go to another listener; where there is none, they are served as plain requests.
 */
export function upgradeListener(proxy: HttpProxy, isOurs: RequestFilter): UpgradeListener {
  const listener: UpgradeListener = (request, socket, head) => {
    const server = serverOf(socket)
    // As the first listener it has the client's own header; behind another the application may have edited that.
    if (server?.listeners('upgrade')[0] === listener) markNominations(request.headers)
    if (isTaken(isOurs, request)) {
      if (isWebSocket(request)) proxy.upgrade(request, socket, head)
      else declineUpgrade(server, request, socket, head)
    } else if (isUnclaimed(request, listener, server?.listeners('upgrade') ?? [])) {
      declineUpgrade(server, request, socket, head)
    }
  }
  FILTERS.set(listener, isOurs)
  return listener
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
