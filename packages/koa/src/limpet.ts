import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Affinity } from '@limpet/core'
import { mergeFields } from '@limpet/core/adapter'
import {
  type AdapterOptions,
  type BackendResponse,
  createHttpProxy,
  type LimpetInfo,
  type ParsedBody,
  type UpgradeListener,
  watchResponse,
} from '@limpet/http-proxy'
import { isWhole } from '@limpet/http-proxy/transport'
import type { Context, Middleware } from 'koa'
import { sendWhole } from './whole-body.ts'
import { wholeUrl } from './whole-url.ts'

declare module 'koa' {
  interface DefaultState {
    /** The pool's part in the request; undefined until limpet has it, and for WebSocket handshakes. */
    limpet?: LimpetInfo | undefined
  }
}

/** The options of `limpet()`: an existing affinity, or the options to make one. */
export type LimpetOptions = AdapterOptions<IncomingMessage, ServerResponse, Context>

/** Middleware for one pool. */
export interface Limpet extends Middleware {
  readonly affinity: Affinity
  /** For the server's `upgrade` event, as `server.on('upgrade', middleware.upgrade)`. */
  readonly upgrade: UpgradeListener
  /** Ends idle connections and tunnels, so that the process can end. */
  readonly close: () => void
}

/**
 * Middleware that forwards to a pool, for Koa 3. The response is in `ctx` when it resolves, its body a stream: outer
 * middleware sees status and headers, may change them, and catches errors, which have `status`, `code` and nothing
 * internal in them.
 * @throws OptionError naming the option, the value and the accepted values
 */
export function limpet(options: LimpetOptions): Limpet {
  const { take, ...proxy } = createHttpProxy(options)
  const isOwn = options.selfHandleResponse === true
  const middleware: Middleware = (ctx, next) => {
    const taken = take(ctx.req, ctx.res, {
      url: wholeUrl(ctx),
      originalUrl: ctx.originalUrl,
      context: ctx,
      // Parsers leave the body with Koa's own request, not with Node's.
      parsed: ctx.request as ParsedBody,
    })
    if (taken === undefined) return next()
    ctx.state.limpet = taken.info
    return taken.forward().then(received => {
      if (received !== undefined) giveResponse(ctx, received)
      // A listener of `on` sends the response by itself.
      else if (isOwn || ctx.res.headersSent) ctx.respond = false
    })
  }
  return Object.assign(middleware, proxy)
}

function giveResponse(ctx: Context, received: BackendResponse): void {
  const { method, res, response } = ctx
  const { statusCode, headers, body } = received
  // The app may have responded by itself, when it got tired of waiting.
  if (res.headersSent) {
    body.destroy()
    return
  }
  // The backend's word, else the app's, and never Koa's guess.
  const type = headers['content-type'] ?? res.getHeader('Content-Type')
  response.status = statusCode
  if (isBodiless(method, statusCode)) {
    watchResponse(res, received)
    res.removeHeader('Content-Type')
    response.body = null
    // Koa has made a 204 of it, and reads no body that it does not send.
    response.status = statusCode
    body.resume()
  } else {
    if (isWhole(body)) sendWhole(ctx, body)
    else watchResponse(res, received)
    setBody(ctx, body, type)
  }
  if (type === undefined) res.removeHeader('Content-Type')
  else res.setHeader('Content-Type', type)
  mergeFields(headers, name => res.getHeader(name))
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined || name === 'content-type') continue
    if (name === 'set-cookie') res.appendHeader(name, value)
    else res.setHeader(name, value)
  }
}

/** Koa's setter watches the end of the response, to destroy a stream. One that is here as a whole has no need of that. */
function setBody({ res, response }: Context, body: BackendResponse['body'], type: unknown): void {
  if (isWhole(body) && response.body === undefined) {
    Object.assign(response, { _body: body })
    return
  }
  // It guesses where there is none.
  res.setHeader('Content-Type', typeof type === 'string' ? type : '')
  response.body = body
}

/** Responses without a body, in Koa. */
function isBodiless(method: string, statusCode: number): boolean {
  return method === 'HEAD' || statusCode === 204 || statusCode === 205 || statusCode === 304
}
