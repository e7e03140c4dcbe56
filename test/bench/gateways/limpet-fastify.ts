/** Fastify with limpet, as its README shows it; uploads may be large. */
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'
import { affinity } from './affinity.ts'
import { serve } from './serve.ts'

const app = Fastify({ ...gatewayServerOptions(), bodyLimit: 2 ** 30 })
await app.register(limpet, { use: affinity })
serve(await app.listen({ port: 0, host: '127.0.0.1' }), affinity)
