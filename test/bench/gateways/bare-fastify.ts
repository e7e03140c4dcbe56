/** Fastify with bare reply-from, as its README shows it. */
import replyFrom from '@fastify/reply-from'
import Fastify from 'fastify'
import { serve } from './serve.ts'

const [base = ''] = process.argv.slice(2)
const app = Fastify()
await app.register(replyFrom, { base })
app.all('/*', (request, reply) => {
  reply.from(request.raw.url)
})
serve(await app.listen({ port: 0, host: '127.0.0.1' }))
