import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Affinity, type AffinityError, isAffinityError } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { gatewayServerOptions, limpet as fastifyLimpet } from '@limpet/fastify'
import { type HttpProxyOptions, writeError } from '@limpet/http-proxy'
import { limitUnanswered } from '@limpet/http-proxy/transport'
import { limpet as koaLimpet } from '@limpet/koa'
import express, { type ErrorRequestHandler } from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import type { AdapterName } from '../config/config.ts'
import { errorPage } from './error-page.ts'

/** One pool behind an app of its framework, which has no server of its own: the gateway's hands its requests over. */
export interface PoolApp {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes idle connections, tunnels and health checks. Requests in flight may fail. */
  close(): Promise<void>
}

/** An existing affinity, and the options of the connections to its backends. */
export type ServedPool = HttpProxyOptions & { readonly use: Affinity }

export async function startPoolApp(adapter: AdapterName, pool: ServedPool): Promise<PoolApp> {
  switch (adapter) {
    case 'fastify':
      return fastifyApp(pool)
    case 'express':
      return expressApp(pool)
    case 'koa':
      return koaApp(pool)
  }
}

async function fastifyApp(pool: ServedPool): Promise<PoolApp> {
  const { http: _, ...options } = gatewayServerOptions()
  // The limit of bodies is the pool's.
  const app = Fastify({
    ...options,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    serverFactory: handler => createServer(handler),
  })
  app.setErrorHandler((error, request, reply) => {
    if (!isAffinityError(error)) throw error
    const { headers, statusCode } = error
    reply.code(statusCode).headers(request.raw.httpVersionMajor === 1 ? headers : withoutConnection(headers))
    return reply.type(errorPage.type).send(errorPage.text(statusCode))
  })
  await app.register(fastifyLimpet, pool)
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

const respondWithError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (!isAffinityError(error) || response.headersSent) next(error)
  // A client that is still sending gets its response at once, and its connection is closed.
  else if (!request.complete) writeError(response, error)
  else errorPage.send(response, error.statusCode, error.headers)
}

function expressApp(pool: ServedPool): PoolApp {
  const handler = expressLimpet(pool)
  const app = express().disable('x-powered-by').set('env', 'production').use(handler).use(respondWithError)
  return {
    request: (request, response) => void app(request, response),
    upgrade: handler.upgrade,
    close: async () => handler.close(),
  }
}

function koaApp(pool: ServedPool): PoolApp {
  const middleware = koaLimpet(pool)
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (!isAffinityError(error)) throw error
      ctx.status = error.statusCode
      ctx.set(error.headers)
      ctx.type = errorPage.type
      ctx.body = errorPage.text(error.statusCode)
    }
  })
  app.use(middleware)
  // Without a listener, Koa prints every error.
  app.on('error', () => undefined)
  const listener = app.callback()
  return {
    request: (request, response) => void listener(request, response),
    upgrade: middleware.upgrade,
    close: async () => middleware.close(),
  }
}

/** HTTP/2 has none. */
function withoutConnection(headers: AffinityError['headers']): AffinityError['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'connection'))
}
