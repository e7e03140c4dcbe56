import type { IncomingMessage } from 'node:http'
import { type Affinity, isAffinityError } from '@limpet/core'
import {
  type HttpProxyOptions,
  type LimpetInfo,
  type NodeProxyOptions,
  requestFilter,
  RequestRecord,
  type UpgradeListener,
  upgradeListener,
  writeResponse,
  writeError,
} from '@limpet/http-proxy'
import { nodeProxyOf } from '@limpet/http-proxy/transport'
import type { Request, RequestHandler, Response } from 'express'
import { wholeUrl } from './whole-url.ts'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- Express's types are extended so
  namespace Express {
    interface Request {
      /** The pool's part in the request; undefined until limpet has it, and for WebSocket handshakes. */
      limpet?: LimpetInfo | undefined
    }
  }
}

/** A request as options see it: that of Express; of a WebSocket handshake, node:http's own, without Express's members. */
export type LimpetRequest = IncomingMessage & Partial<Omit<Request, keyof IncomingMessage>>

/** The options of `limpet()`: an existing affinity, or the options to make one. */
export type LimpetOptions = HttpProxyOptions &
  NodeProxyOptions<LimpetRequest, Response> & {
    /** Whether a request is the pool's, its `url` whole wherever limpet is mounted; other requests go on to the next handler. @default all are */
    readonly filter?: (request: LimpetRequest) => boolean
  }

/** Middleware for one pool. */
export interface Limpet extends RequestHandler {
  readonly affinity: Affinity
  /** For the server's `upgrade` event, as `server.on('upgrade', handler.upgrade)`. */
  readonly upgrade: UpgradeListener
  /** Ends idle connections and tunnels, so that the process can end. */
  readonly close: () => void
}

/**
 * Middleware that forwards to a pool, for Express 4 and 5. Errors go to `next`, with `status`, `code` and nothing
 * internal in them. Only a client that is still sending its request gets the response at once, and is disconnected.
 * @throws OptionError naming the option, the value and the accepted values
 */
export function limpet(options: LimpetOptions): Limpet {
  const proxy = nodeProxyOf(options, ['filter'])
  const { affinity, close } = proxy
  const isOurs = requestFilter(options.filter)
  const handler: RequestHandler = (request, response, next) => {
    const url = wholeUrl(request)
    if (!isOurs(request, url)) {
      next()
      return
    }
    const record = new RequestRecord(affinity.pool.name)
    request.limpet = record
    proxy
      .forward(request, response, { url }, undefined, record)
      .then(answer => {
        if (answer === undefined) return
        if (response.headersSent) answer.body.destroy()
        else writeResponse(response, answer)
      })
      .catch((error: unknown) => {
        if (!isAffinityError(error)) next(error)
        // An app that timed out may have responded itself; then no other response is sent.
        else if (!response.headersSent) {
          // Express would wait for the rest of the request before it responds, and that may never come.
          if (request.complete) next(error)
          else writeError(response, error)
        }
      })
  }
  return Object.assign(handler, { affinity, close, upgrade: upgradeListener(proxy, isOurs) })
}
