// An application on Koa with the middleware that most applications have, and limpet behind all of it.
import { createServer } from 'node:http'
import { bodyParser as newBodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/koa'
import Koa from 'koa'
import oldBodyParser from 'koa-bodyparser'
import compress from 'koa-compress'
import helmet from 'koa-helmet'
import mount from 'koa-mount'
import session from 'koa-session'
import { WebSocketServer } from 'ws'
import { listen, pool, ready } from './program.ts'

const app = new Koa({ keys: ['a key of the session'] })
app.use(async (ctx, next) => {
  await next()
  console.log(`log ${ctx.method} ${ctx.originalUrl} ${ctx.status}`)
})
app.use(helmet())
app.use(compress({ threshold: 1024 }))
app.use(session({ key: 'koa.sess' }, app))

// Authentication: the client's word does not count, the application's does.
app.use(async (ctx, next) => {
  delete ctx.request.headers['x-user-id']
  ctx.request.headers['x-gateway-user'] = 'alice'
  await next()
})

const own = new Router({ prefix: '/own' })
own.get('/visits', ctx => {
  if (ctx.session === null) return
  ctx.session['visits'] = Number(ctx.session['visits'] ?? 0) + 1
  ctx.body = { visits: ctx.session['visits'] }
})
own.post('/old', oldBodyParser(), ctx => void (ctx.body = ctx.request.body))
own.post('/new', newBodyParser(), ctx => void (ctx.body = ctx.request.body))
app.use(own.routes())

const mounted = new Koa()
mounted.use(ctx => void (ctx.body = `mounted at ${ctx.mountPath}`))
app.use(mount('/mounted', mounted))

const gateway = limpet(pool)
app.use(mount('/api', gateway))
const parsed = new Router()
parsed.post('/parsed/old', oldBodyParser({ enableTypes: ['json', 'form', 'text'] }), gateway)
parsed.post('/parsed/new', newBodyParser({ enableTypes: ['json', 'form', 'text'] }), gateway)
app.use(parsed.routes())
app.use(gateway)

const live = new WebSocketServer({ noServer: true })
live.on('connection', socket =>
  socket.on('message', (data: Buffer) => socket.send(`live: ${data.toString()}`)),
)

const server = guardServer(createServer(SERVER_OPTIONS, app.callback()))
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/live')
    live.handleUpgrade(request, socket, head, client => live.emit('connection', client))
  else gateway.upgrade(request, socket, head)
})
ready({ port: await listen(server) })
