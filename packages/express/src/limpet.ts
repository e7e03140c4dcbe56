import type { IncomingMessage } from 'node:http'
import type { Affinity } from '@limpet/core'
import {
  type AdapterOptions,
  createHttpProxy,
  type LimpetInfo,
  type UpgradeListener,
} from '@limpet/http-proxy'
import type { Request, RequestHandler, Response } from 'express'
import { stackInCause } from './stack-in-cause.ts'
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
export type LimpetOptions = AdapterOptions<LimpetRequest, Response>

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
  const { take, ...proxy } = createHttpProxy(options)
  const handler: RequestHandler = (request, response, next) => {
    const taken = take(request, response, { url: wholeUrl(request) })
    if (taken === undefined) {
      next()
      return
    }
    request.limpet = taken.info
    taken.respond().catch((error: unknown) => next(stackInCause(error)))
  }
  return Object.assign(handler, proxy)
}
