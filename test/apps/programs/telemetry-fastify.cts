import './telemetry.cjs'
import type { AddressInfo } from 'node:net'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'
import { pool, ready } from './program.js'

async function start(): Promise<void> {
  const app = Fastify(gatewayServerOptions())
  await app.register(new FastifyOtelInstrumentation().plugin())
  await app.register(limpet, pool)
  await app.listen({ port: 0, host: '127.0.0.1' })
  ready({ port: (app.server.address() as AddressInfo).port })
}

void start()
