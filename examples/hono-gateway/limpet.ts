import type { RequestListener } from 'node:http'
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { isAffinityError } from '@limpet/core'
import { type AdapterOptions, createHttpProxy, type HttpProxy, type LimpetInfo } from '@limpet/http-proxy'
import type { Hono, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'

/** The pool's part in a request is `c.get('limpet')`. */
export interface LimpetEnv {
  Bindings: HttpBindings
  Variables: { limpet?: LimpetInfo }
}

/** Middleware for Hono on its Node server: an adapter. */
export function limpet(options: AdapterOptions): MiddlewareHandler<LimpetEnv> & Omit<HttpProxy, 'take'> {
  const { take, ...proxy } = createHttpProxy(options)
  const handler: MiddlewareHandler<LimpetEnv> = async (c, next) => {
    const taken = take(c.env.incoming, c.env.outgoing)
    if (taken === undefined) return next()
    c.set('limpet', taken.info)
    await taken.respond().catch((error: unknown) => {
      if (!isAffinityError(error)) throw error
      const { statusCode: status, headers } = error
      throw new HTTPException(status as 503, { res: new Response(null, { status, headers }), cause: error })
    })
    return RESPONSE_ALREADY_SENT
  }
  return Object.assign(handler, proxy)
}

/** The listener of a server for an app with limpet. */
export function listenerOf(app: Hono<LimpetEnv>): RequestListener {
  const listener = getRequestListener(
    async (request, env) => {
      const response = await app.fetch(request, env)
      // Hono makes another response of the one to HEAD, which would be sent after limpet's.
      return env.outgoing.headersSent ? RESPONSE_ALREADY_SENT : response
    },
    {
      // A client of HTTP/1.0 may send no Host.
      hostname: 'localhost',
      // The bytes after a refused message may be a part of it.
      errorHandler: error =>
        new Response(null, {
          status: error instanceof RequestError ? 400 : 500,
          headers: { connection: 'close' },
        }),
    },
  )
  return (request, response) => void listener(request, response)
}
