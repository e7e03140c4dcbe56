import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OptionError } from '@limpet/core'
import { isRecord, unknownKeys } from '@limpet/core/options'
import type { BackendRequest } from './backend-request.ts'

/** Listeners for messages on their way. The names are those of http-proxy-middleware's option `on`. */
export interface ProxyEvents<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
> {
  /**
   * Edits the header for a backend, of each attempt that has a connection, after all other edits. An error that it
   * throws is the application's.
   */
  readonly proxyReq?: (proxyReq: BackendRequest, request: Request, response: Response) => void
  /** The same for a WebSocket handshake. */
  readonly proxyReqWs?: (proxyReq: BackendRequest, request: Request, socket: Duplex) => void
  /**
   * Gets the backend's response when its head is there, after `rewriteHeaders` and `responseHeaders`. Edits of its
   * `headers` and its `statusCode` count, also those that are made before a returned promise resolves. With
   * `selfHandleResponse` it sends the response itself.
   */
  readonly proxyRes?: (
    proxyRes: IncomingMessage,
    request: Request,
    response: Response,
  ) => void | Promise<unknown>
  /**
   * Told once of the error when no response can be given; of a handshake with its socket. If it has not begun a
   * response when it returns, or when its promise resolves, the client gets that of the adapter.
   */
  readonly error?: (error: Error, request: Request, response: Response | Duplex) => void | Promise<unknown>
  /** Told of the connection to the backend when a WebSocket is open. */
  readonly open?: (proxySocket: Socket) => void | Promise<unknown>
  /** Told when that connection has closed. */
  readonly close?: (
    proxyRes: IncomingMessage,
    proxySocket: Socket,
    proxyHead: Buffer,
  ) => void | Promise<unknown>
}

const EVENTS = ['proxyReq', 'proxyReqWs', 'proxyRes', 'error', 'open', 'close'] as const

/** Events of http-proxy-middleware that are not passed on, and what takes their place. */
const OTHERS: Readonly<Record<string, string>> = {
  start: 'is not passed on; middleware before limpet sees each request, and on.proxyReq each attempt',
  end: 'is not passed on; listen to "finish" of the response',
  econnreset: 'is not passed on; listen to "close" of the response',
}

/** @throws OptionError for an event that there is not, or a listener that is no function */
export function parseProxyEvents<Events extends object>(on: Events | undefined): Events | undefined {
  if (on === undefined) return undefined
  if (!isRecord(on)) throw new OptionError('on', on, 'an object of listeners by event')
  for (const [key, problem] of Object.entries(OTHERS)) {
    if (on[key] !== undefined) throw new OptionError(`on.${key}`, on[key], '', problem)
  }
  const [unknown] = unknownKeys('on', on, EVENTS)
  if (unknown !== undefined) throw unknown
  for (const event of EVENTS) {
    const listener = on[event]
    if (listener !== undefined && typeof listener !== 'function')
      throw new OptionError(`on.${event}`, listener, 'a function')
  }
  return on
}
