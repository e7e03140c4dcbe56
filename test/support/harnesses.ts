import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type Affinity, createAffinity, isAffinityError } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { gatewayServerOptions, limpet as fastifyLimpet } from '@limpet/fastify'
import { createHttpProxy, type HttpProxyOptions, writeError } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import { type LimpetEnv, limpet as honoLimpet, listenerOf } from '@limpet-example/hono-gateway/limpet'
import express, { type ErrorRequestHandler, type Express } from 'express'
import createFastify, { type FastifyInstance } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import type { Around, Gateway, GatewayOptions, Harness } from '../contract/harness.ts'
import { startNodeGateway } from './node-gateway.ts'

/** The version before, which has no types of its own under this name. */
const express4 = createRequire(import.meta.url)('express-4') as () => Express

export const EXPRESS_5: Harness = {
  name: 'express 5',
  start: options => startExpress(express(), options),
}

export const EXPRESS_4: Harness = {
  name: 'express 4',
  start: options => startExpress(express4(), options),
}

async function startExpress(app: Express, options: GatewayOptions): Promise<Gateway> {
  const { around } = options
  const handler = expressLimpet(adapterOptions(options))
  if (around !== undefined) {
    app.use((request, response, next) => {
      response.once('finish', () => around.onResponse(request.limpet))
      around.enter(request, next)
    })
  }
  app.use(handler)
  if (around !== undefined) {
    const onError: ErrorRequestHandler = (error, request, _response, next) => {
      around.onError(request.limpet)
      next(error)
    }
    // Express prints every error otherwise.
    app.use(onError).set('env', 'test')
  }
  return startNodeGateway(handler, app, around)
}

export const KOA: Harness = {
  name: 'koa',
  async start(options) {
    const { around } = options
    const middleware = koaLimpet(adapterOptions(options))
    const app = new Koa()
    if (around !== undefined) app.use(aroundKoa(around))
    app.use(middleware)
    // Koa prints every error that no listener wants.
    app.on('error', () => {})
    const listener = app.callback()
    return startNodeGateway(middleware, (request, response) => void listener(request, response), around)
  },
}

/** Koa itself responds outside of its middleware, and so outside of a context that one of them has entered. */
function aroundKoa(around: Around): Koa.Middleware {
  return (ctx, next) =>
    around.enter(ctx.req, async () => {
      try {
        await next()
        around.onResponse(ctx.state.limpet)
      } catch (error) {
        around.onError(ctx.state.limpet)
        throw error
      }
    })
}

/** Hono on its Node server, with the adapter of the examples. */
export const HONO: Harness = {
  name: 'hono',
  async start(options) {
    const { around } = options
    const middleware = honoLimpet(adapterOptions(options))
    const app = new Hono<LimpetEnv>()
    if (around !== undefined) {
      app.use((c, next) =>
        around.enter(c.env.incoming, async () => {
          await next()
          if (c.error === undefined) around.onResponse(c.get('limpet'))
          else around.onError(c.get('limpet'))
        }),
      )
    }
    app.use(middleware)
    return startNodeGateway(middleware, listenerOf(app), around)
  },
}

/** No framework: a listener of node:http. */
export const NODE: Harness = {
  name: 'node:http',
  async start(options) {
    const { around } = options
    const proxy = createHttpProxy(adapterOptions(options))
    async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const taken = proxy.take(request, response)
      try {
        await taken?.respond()
        around?.onResponse(taken?.info)
      } catch (error) {
        if (!isAffinityError(error)) throw error
        around?.onError(taken?.info)
        writeError(response, error)
      }
    }
    return startNodeGateway(
      proxy,
      (request, response) =>
        void (around === undefined
          ? serve(request, response)
          : around.enter(request, () => serve(request, response))),
      around,
    )
  },
}

export const FASTIFY: Harness = {
  name: 'fastify',
  async start(options) {
    const { around } = options
    const parsed = adapterOptions(options)
    const app = createFastify(gatewayServerOptions())
    if (around !== undefined) aroundFastify(app, around)
    await app.register(fastifyLimpet, parsed)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { server } = app
    const { port } = server.address() as AddressInfo
    return { port, server, affinity: parsed.use, close: () => app.close() }
  },
}

function aroundFastify(app: FastifyInstance, around: Around): void {
  app.addHook('onRequest', (request, _reply, done) => around.enter(request.raw, done))
  app.addHook('onSend', (request, _reply, _payload, done) => {
    around.onResponse(request.limpet)
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    around.onResponse(request.limpet)
    done()
  })
  app.addHook('onError', (request, _reply, _error, done) => {
    around.onError(request.limpet)
    done()
  })
}

export const HARNESSES: readonly Harness[] = [FASTIFY, EXPRESS_5, EXPRESS_4, KOA, HONO]

/** Keeps the adapter's options, and makes an affinity of the rest, which the test needs to access. */
function adapterOptions({
  timeouts,
  tls,
  bodyLimit,
  health,
  discovery,
  requestHeaders,
  responseHeaders,
  around: _around,
  ...options
}: GatewayOptions): HttpProxyOptions & Pick<GatewayOptions, 'responseHeaders'> & { readonly use: Affinity } {
  return {
    use: createAffinity(options),
    logger: false,
    ...(timeouts && { timeouts }),
    ...(tls && { tls }),
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(health && { health }),
    ...(discovery && { discovery }),
    ...(requestHeaders && { requestHeaders }),
    ...(responseHeaders && { responseHeaders }),
  }
}
