import type { Server } from 'node:http'
import { respondToClientError, SERVER_OPTIONS } from '@limpet/http-proxy'
import type { FastifyHttpOptions } from 'fastify'

type GatewayServerOptions = Required<
  Pick<
    FastifyHttpOptions<Server>,
    'keepAliveTimeout' | 'requestTimeout' | 'forceCloseConnections' | 'http' | 'clientErrorHandler'
  >
>

/** Options for `Fastify()` that keep slow and greedy clients from holding a gateway's connections. */
export function gatewayServerOptions(): GatewayServerOptions {
  const { keepAliveTimeout, requestTimeout, ...http } = SERVER_OPTIONS
  return {
    keepAliveTimeout,
    requestTimeout,
    forceCloseConnections: 'idle',
    http,
    clientErrorHandler: respondToClientError,
  }
}
