import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Affinity, isAffinityError, type RequestView } from '@limpet/core'
import type { BackendResponse } from './exchange/backend-response.ts'
import { type LimpetInfo, RequestRecord } from './exchange/limpet-info.ts'
import type { ParsedBody } from './exchange/parsed-body.ts'
import { writeResponse } from './exchange/response.ts'
import { httpProxyMiddleware } from './http-proxy-middleware.ts'
import { httpProxyOf, type NodeProxy } from './http-proxy.ts'
import type { HttpProxyOptions } from './http-proxy-options.ts'
import { type NodeProxyOptions, parseNodeProxyOptions } from './node-proxy-options.ts'
import { requestFilter } from './request-filter.ts'
import { writeError } from './server/closing-response.ts'
import { type UpgradeListener, upgradeListener } from './websocket/upgrade-listener.ts'

/**
 * The options of an adapter: an existing affinity, or the options to make one; and those of the proxy. `Request` and
 * `Response` are the framework's, as functions among the options see them; `Context` is its own object for a request,
 * which a handshake has not.
 */
export type AdapterOptions<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
  Context = undefined,
> = HttpProxyOptions & NodeProxyOptions<Request, Response, Context>

/** A framework's view of a request, where it keeps that apart from Node's message. */
export interface FrameworkView extends RequestView {
  /** The object on which a body parser that came first leaves `body` and `rawBody`. @default the request */
  readonly parsed?: ParsedBody | undefined
  /** The framework's own object for the request, for `filter`. @default undefined */
  readonly context?: unknown
}

/** A request that is the pool's. Call one of `respond` and `forward`, once. */
export interface TakenRequest {
  /** The pool's part in the request. It grows while the request is on its way. */
  readonly info: LimpetInfo
  /**
   * Sends the request to a backend, and its response to the client. Resolves when the head of the response has been
   * written, or the client has left.
   * @throws AffinityError with `statusCode`, `code` and `headers`, for the framework's error handling. A client that
   *   is still sending its request gets the error at once, and is disconnected: a framework would wait for the rest.
   */
  respond(): Promise<void>
  /**
   * Sends the request to a backend. Resolves when the head of the response has arrived; with undefined when the client
   * has left, or when `on.proxyRes` or `on.error` sends the response. The caller sends the response, or destroys its body; the close of the client's side ends the request.
   * @throws AffinityError with `statusCode`, `code` and `headers`
   */
  forward(): Promise<BackendResponse | undefined>
}

/** Forwards the requests of a Node server to a pool: by itself, or as the base of a framework's adapter. */
export interface HttpProxy {
  readonly affinity: Affinity
  /**
   * Takes a request, if the option `filter` says that it is the pool's.
   * @param view the framework's view of the request @default the properties of `request`
   * @returns undefined for a request that is not the pool's
   */
  readonly take: (
    request: IncomingMessage,
    response: ServerResponse,
    view?: FrameworkView,
  ) => TakenRequest | undefined
  /** For the server's `upgrade` event, as `server.on('upgrade', proxy.upgrade)`. */
  readonly upgrade: UpgradeListener
  /** Ends idle connections, tunnels, health checks and discovery, so that the process can end. */
  readonly close: () => void
}

/** @throws OptionError naming the option, the value and the accepted values. */
export function createHttpProxy<
  Request extends IncomingMessage,
  Response extends ServerResponse,
  Context = undefined,
>(options: AdapterOptions<Request, Response, Context>): HttpProxy {
  const { rewriting, filter, ...shared } = parseNodeProxyOptions(options)
  const proxy = httpProxyOf(shared, rewriting, httpProxyMiddleware())
  const { affinity, close } = proxy
  const isOurs = requestFilter(filter)
  return {
    affinity,
    take: (request, response, view) =>
      isOurs(request, view?.url, view?.context) ? new Taken(proxy, request, response, view) : undefined,
    upgrade: upgradeListener(proxy, request => isOurs(request)),
    close,
  }
}

class Taken implements TakenRequest {
  readonly info: RequestRecord
  readonly #proxy: NodeProxy
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #view: FrameworkView | undefined

  constructor(
    proxy: NodeProxy,
    request: IncomingMessage,
    response: ServerResponse,
    view: FrameworkView | undefined,
  ) {
    this.info = new RequestRecord(proxy.affinity.pool.name)
    this.#proxy = proxy
    this.#request = request
    this.#response = response
    this.#view = view
  }

  forward(): Promise<BackendResponse | undefined> {
    const view = this.#view
    return this.#proxy.forward(this.#request, this.#response, view, view?.parsed, this.info)
  }

  respond(): Promise<void> {
    return this.forward().then(
      received => {
        if (received === undefined) return
        // An app that timed out may have responded itself; then no other response is sent.
        if (this.#response.headersSent) received.body.destroy()
        else writeResponse(this.#response, received)
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    const response = this.#response
    if (!isAffinityError(error)) throw error
    if (response.headersSent) return
    if (this.#request.complete) throw error
    // The rest of the request may never come.
    writeError(response, error)
  }
}
