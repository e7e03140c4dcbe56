// An application on Fastify with its usual plugins, all of them at once, and limpet for everything else.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import etag from '@fastify/etag'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import { requestContext, fastifyRequestContext } from '@fastify/request-context'
import session from '@fastify/session'
import files from '@fastify/static'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'
import { pool, ready } from './program.ts'

declare module '@fastify/request-context' {
  interface RequestContextData {
    user: string
  }
}

declare module 'fastify' {
  interface Session {
    visits?: number
  }
}

const app = Fastify({ ...gatewayServerOptions(), logger: { level: 'info' } })

// In either order: limpet first takes no route and no upgrade away from the plugins behind it.
const isFirst = process.env['LIMPET'] === 'first'
const prefix = process.env['PREFIX'] ?? '/'
if (isFirst) await app.register(limpet, { ...pool, prefix })

await app.register(fastifyRequestContext)
await app.register(helmet)
await app.register(cors, { origin: 'https://shop.example', credentials: true })
await app.register(rateLimit, { global: false })
await app.register(compress)
await app.register(etag)
await app.register(cookie)
await app.register(session, {
  secret: 'a secret of the session that is long enough',
  cookie: { secure: false },
  saveUninitialized: false,
})
await app.register(jwt, { secret: 'a secret of the tokens' })
await app.register(formbody)
await app.register(multipart)
await app.register(websocket)
await app.register(swagger, { openapi: { info: { title: 'shop', version: '1' } } })
await app.register(files, { root: join(import.meta.dirname, 'public'), prefix: '/public/' })

app.addHook('onRequest', async request => {
  requestContext.set('user', String(request.headers['x-name'] ?? 'unknown'))
  // Authentication: the client's word does not count, the application's does.
  delete request.headers['x-user-id']
  request.headers['x-gateway-user'] = 'alice'
})
app.addHook('onSend', async (_request, reply) => void reply.header('x-user', requestContext.get('user')))

app.get('/own/visits', async ({ session: own }) => {
  own.visits = (own.visits ?? 0) + 1
  return { visits: own.visits }
})
app.post('/own/form', async ({ body }) => body)
app.post('/own/upload', async request => ({ bytes: (await (await request.file())?.toBuffer())?.length }))
app.get('/own/token', async () => ({ token: app.jwt.sign({ name: 'alice' }) }))
app.get('/own/claims', async request => request.jwtVerify())
app.get('/own/limited', { config: { rateLimit: { max: 2, timeWindow: '1 minute' } } }, async () => 'ok')
app.get('/own/openapi', async () => app.swagger())
app.get('/live', { websocket: true }, socket => {
  socket.on('message', (data: Buffer) => socket.send(`live: ${data.toString()}`))
})

if (!isFirst) await app.register(limpet, { ...pool, prefix })

await app.listen({ port: 0, host: '127.0.0.1' })
ready({ port: (app.server.address() as AddressInfo).port })
