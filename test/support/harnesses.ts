import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type Affinity, createAffinity } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { gatewayServerOptions, limpet as fastifyLimpet } from '@limpet/fastify'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import express, { type Express } from 'express'
import createFastify from 'fastify'
import Koa from 'koa'
import type { GatewayOptions, Harness } from '../contract/harness.ts'
import { startNodeGateway } from './node-gateway.ts'

/** The version before, which has no types of its own under this name. */
const express4 = createRequire(import.meta.url)('express-4') as () => Express

export const EXPRESS_5: Harness = {
  name: 'express 5',
  async start(options) {
    const handler = expressLimpet(adapterOptions(options))
    return startNodeGateway(handler, express().use(handler))
  },
}

export const EXPRESS_4: Harness = {
  name: 'express 4',
  async start(options) {
    const handler = expressLimpet(adapterOptions(options))
    return startNodeGateway(handler, express4().use(handler))
  },
}

export const KOA: Harness = {
  name: 'koa',
  async start(options) {
    const middleware = koaLimpet(adapterOptions(options))
    const app = new Koa().use(middleware)
    // Koa prints every error that no listener wants.
    app.on('error', () => {})
    const listener = app.callback()
    return startNodeGateway(middleware, (request, response) => void listener(request, response))
  },
}

export const FASTIFY: Harness = {
  name: 'fastify',
  async start(options) {
    const parsed = adapterOptions(options)
    const app = createFastify(gatewayServerOptions())
    await app.register(fastifyLimpet, parsed)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { server } = app
    const { port } = server.address() as AddressInfo
    return { port, server, affinity: parsed.use, close: () => app.close() }
  },
}

export const HARNESSES: readonly Harness[] = [FASTIFY, EXPRESS_5, EXPRESS_4, KOA]

/** What is the adapter's stays; of the rest an affinity is made, as the test wants to have a hand on it. */
function adapterOptions({
  timeouts,
  tls,
  bodyLimit,
  health,
  discovery,
  ...options
}: GatewayOptions): HttpProxyOptions & { readonly use: Affinity } {
  return {
    use: createAffinity(options),
    ...(timeouts && { timeouts }),
    ...(tls && { tls }),
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(health && { health }),
    ...(discovery && { discovery }),
  }
}
