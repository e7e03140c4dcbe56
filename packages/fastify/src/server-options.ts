import { createServer, type RequestListener, type Server } from 'node:http'
import {
  GUARD_OPTIONS,
  type GuardOptions,
  limitUnanswered,
  respondToClientError,
  SERVER_OPTIONS,
} from '@limpet/http-proxy/transport'
import type { FastifyHttpOptions } from 'fastify'

type GatewayServerOptions = Required<
  Pick<
    FastifyHttpOptions<Server>,
    'keepAliveTimeout' | 'requestTimeout' | 'forceCloseConnections' | 'http' | 'clientErrorHandler'
  >
> & { readonly serverFactory?: ServerFactory }

type ServerFactory = (
  handler: RequestListener,
  options: Pick<FastifyHttpOptions<Server>, 'http' | 'keepAliveTimeout' | 'requestTimeout'>,
) => Server

/**
 * Options for `Fastify()` that keep slow and greedy clients from holding a gateway's connections. With a limit they have a
 * `serverFactory`, which makes a server of HTTP/1 from the options `http`, `keepAliveTimeout` and `requestTimeout`.
 * @throws OptionError naming the option, what it got and what it takes
 */
export function gatewayServerOptions(limits: GuardOptions = {}): GatewayServerOptions {
  const { keepAliveTimeout, requestTimeout, ...http } = SERVER_OPTIONS
  const { maxUnanswered } = GUARD_OPTIONS.parse('', limits)
  return {
    keepAliveTimeout,
    requestTimeout,
    forceCloseConnections: 'idle',
    http,
    clientErrorHandler: respondToClientError,
    ...(maxUnanswered !== undefined && { serverFactory: limitedServer(maxUnanswered) }),
  }
}

/** Fastify sets no timeouts of a server that it has not made. */
function limitedServer(maxUnanswered: number): ServerFactory {
  return (handler, { http = {}, keepAliveTimeout, requestTimeout }) => {
    const server = createServer(
      {
        ...http,
        ...(keepAliveTimeout !== undefined && { keepAliveTimeout }),
        ...(requestTimeout !== undefined && { requestTimeout }),
      },
      handler,
    )
    limitUnanswered(server, maxUnanswered)
    return server
  }
}
