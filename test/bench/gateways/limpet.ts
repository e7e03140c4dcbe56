/** Fastify with limpet, as its README shows it. */
import limpet from '@limpet/fastify'
import Fastify from 'fastify'
import { serve } from './serve.ts'

const backends = process.argv.slice(2).map((url, index) => ({ id: `w${index + 1}`, url }))
const app = Fastify()
await app.register(limpet, {
  backends,
  secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
  affinity: [{ cookie: { maxIdle: '30m', maxLife: '8h' } }],
})
serve(await app.listen({ port: 0, host: '127.0.0.1' }))
