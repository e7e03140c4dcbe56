import { createServer } from 'node:http'
import { type AffinityError, isAffinityError } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { limitUnanswered } from '@limpet/http-proxy/transport'
import Fastify from 'fastify'
import { errorPage } from './error-page.ts'
import type { PoolApp, ServedPool } from './pool-app.ts'

/** Starts one pool behind a Fastify app. */
export async function fastifyApp(pool: ServedPool): Promise<PoolApp> {
  const { http: _, ...options } = gatewayServerOptions()
  // The limit of bodies is the pool's.
  const app = Fastify({
    ...options,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    serverFactory: handler => createServer(handler),
    // Routes of limpet have no schemas, so the compilers of Fastify are not loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  })
  app.setErrorHandler((error, request, reply) => {
    if (!isAffinityError(error)) throw error
    const { headers, statusCode } = error
    reply.code(statusCode).headers(request.raw.httpVersionMajor === 1 ? headers : withoutConnection(headers))
    return reply.type(errorPage.type).send(errorPage.text(statusCode))
  })
  await app.register(limpet, pool)
  await app.ready()
  const { server } = app
  // The limit of connections is the gateway's.
  limitUnanswered(server, Infinity)
  return {
    request: (request, response) => void server.emit('request', request, response),
    upgrade: (request, socket, head) => void server.emit('upgrade', request, socket, head),
    close: async () => app.close(),
  }
}

function noSchemas(): never {
  throw new Error('a route of the gateway has a schema')
}

/** HTTP/2 has none. */
function withoutConnection(headers: AffinityError['headers']): AffinityError['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'connection'))
}
