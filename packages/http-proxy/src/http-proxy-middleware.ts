import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { type Attempt, NO_RESPONSE } from './exchange/attempt.ts'
import type { Forwarder } from './forwarder.ts'

/** http-proxy-middleware, for attempts of limpet: it is given the backend's address, and no response. */
export function httpProxyMiddleware(): Forwarder {
  const middleware = createProxyMiddleware<Attempt & IncomingMessage>({
    // Its own plugins respond to errors before another backend could be tried, and log data of the client.
    ejectPlugins: true,
    plugins: [
      proxy => {
        proxy.on('error', (error, request) => request?.events.failed(error))
      },
    ],
    // Tools that trace requests read the address here. The connection is the agent's.
    router: (request, _response, active) => {
      Object.assign(active, { agent: request.agent })
      return request.address
    },
  })
  return {
    forward(attempt) {
      // Its promise resolves when the request has been made; the result arrives by the events.
      function failed(error: unknown): void {
        attempt.events.failed(error instanceof Error ? error : new Error(String(error)))
      }
      // An error of its own goes to the next handler, and without one it would be dropped: the client would wait.
      middleware(attempt as Attempt & IncomingMessage, NO_RESPONSE, failed).catch(failed)
    },
    forwardHandshake(attempt, socket, head) {
      middleware.upgrade(attempt as Attempt & IncomingMessage, socket as Socket, head)
    },
  }
}
