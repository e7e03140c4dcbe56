import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OptionError } from '@limpet/core'
import {
  callback,
  isRecord,
  kind,
  type OptionKind,
  type OptionsOf,
  optionTable,
  type ParsedOptions,
  type Retyped,
} from '@limpet/core/options'
import type { BackendRequest } from './backend-request.ts'

/** Listeners for messages on their way. The names are those of http-proxy-middleware's option `on`. */
const PROXY_EVENT_OPTIONS = optionTable({
  /**
   * Edits the header for a backend, of each attempt that has a connection, after all other edits. An error that it
   * throws is the application's.
   */
  proxyReq: callback<Listeners['proxyReq']>(),
  /** The same for a WebSocket handshake. */
  proxyReqWs: callback<Listeners['proxyReqWs']>(),
  /**
   * Gets the backend's response when its head is there, after `rewriteHeaders` and `responseHeaders`. Edits of its
   * `headers` and its `statusCode` count, also those that are made before a returned promise resolves. With
   * `selfHandleResponse` it sends the response itself.
   */
  proxyRes: callback<Listeners['proxyRes']>(),
  /**
   * Told once of the error when no response can be given; of a handshake with its socket. If it has not begun a
   * response when it returns, or when its promise resolves, the client gets that of the adapter.
   */
  error: callback<Listeners['error']>(),
  /** Told of the connection to the backend when a WebSocket is open. */
  open: callback<(proxySocket: Socket) => void | Promise<unknown>>(),
  /** Told when that connection has closed. */
  close:
    callback<
      (proxyRes: IncomingMessage, proxySocket: Socket, proxyHead: Buffer) => void | Promise<unknown>
    >(),
})

/** Listeners that get the framework's requests and responses. */
export interface Listeners<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
> {
  readonly proxyReq: (proxyReq: BackendRequest, request: Request, response: Response) => void
  readonly proxyReqWs: (proxyReq: BackendRequest, request: Request, socket: Duplex) => void
  readonly proxyRes: (
    proxyRes: IncomingMessage,
    request: Request,
    response: Response,
  ) => void | Promise<unknown>
  readonly error: (error: Error, request: Request, response: Response | Duplex) => void | Promise<unknown>
}

/** Listeners for messages on their way. The names are those of http-proxy-middleware's option `on`. */
export type ProxyEvents<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
> = Retyped<OptionsOf<typeof PROXY_EVENT_OPTIONS>, Listeners<Request, Response>>

/** The same, checked. */
export type ParsedProxyEvents = ParsedOptions<typeof PROXY_EVENT_OPTIONS.options>

/** Events of http-proxy-middleware that are not passed on, and the hooks that take their place. */
const NOT_PASSED_ON: Readonly<Record<string, string>> = {
  start: 'is not passed on; middleware before limpet sees each request, and on.proxyReq each attempt',
  end: 'is not passed on; listen to "finish" of the response',
  econnreset: 'is not passed on; listen to "close" of the response',
}

/** The listeners, as an option. */
export const PROXY_EVENTS: OptionKind<ProxyEvents, ParsedProxyEvents | undefined, false> = kind<
  ProxyEvents,
  ParsedProxyEvents | undefined
>({
  takes: 'an object of listeners by event',
  read: (path, on, errors) => {
    if (on === undefined) return undefined
    if (!isRecord(on)) {
      errors.push(new OptionError(path, on, PROXY_EVENTS.takes))
      return undefined
    }
    const passedOn = { ...on }
    for (const [event, problem] of Object.entries(NOT_PASSED_ON)) {
      if (on[event] !== undefined) errors.push(new OptionError(`${path}.${event}`, on[event], '', problem))
      delete passedOn[event]
    }
    return PROXY_EVENT_OPTIONS.read(path, passedOn, errors)
  },
})
