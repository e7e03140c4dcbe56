// An application on Express with the middleware that most applications have, and limpet behind all of it.
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import compression from 'compression'
import cookieParser from 'cookie-parser'
import cors from 'cors'
import express, { type ErrorRequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import session from 'express-session'
import helmet from 'helmet'
import morgan from 'morgan'
import { WebSocketServer } from 'ws'
import { listen, pool, ready } from './program.ts'

declare module 'express-session' {
  interface SessionData {
    visits: number
  }
}

const app = express()
app.disable('x-powered-by')
morgan.token('backend', (request: express.Request) => request.limpet?.backend)
app.use(morgan('log :method :url :status :backend'))
app.use(helmet())
app.use(cors({ origin: 'https://shop.example', credentials: true, exposedHeaders: 'X-Total' }))
app.use(compression())
app.use(cookieParser())
app.use(session({ secret: 'a secret of the session', resave: false, saveUninitialized: false }))
app.use(
  '/limited',
  rateLimit({ windowMs: 60_000, limit: 2, standardHeaders: 'draft-8', legacyHeaders: false }),
)

// Authentication: the client's word does not count, the application's does.
app.use((request, _response, next) => {
  delete request.headers['x-user-id']
  request.headers['x-gateway-user'] = 'alice'
  next()
})

const own = express.Router()
own.get('/visits', (request, response) => {
  request.session.visits = (request.session.visits ?? 0) + 1
  response.json({ visits: request.session.visits, cookies: Object.keys(request.cookies) })
})
own.post('/json', express.json(), (request, response) => void response.json(request.body))
own.post('/form', express.urlencoded(), (request, response) => void response.json(request.body))
own.post('/text', express.text(), (request, response) => void response.json(request.body))
own.post(
  '/raw',
  express.raw(),
  (request, response) => void response.json({ bytes: (request.body as Buffer).length }),
)
app.use('/own', own)

const gateway = limpet(pool)
const api = express.Router()
api.use('/v1', gateway)
app.use('/api', api)
app.use('/parsed', express.json(), express.urlencoded(), express.text(), express.raw(), gateway)
app.use(gateway)

const onError: ErrorRequestHandler = (error, _request, response, _next) => {
  console.log(error)
  response.status(error.statusCode ?? 500).json({ code: error.code })
}
app.use(onError)

const live = new WebSocketServer({ noServer: true })
live.on('connection', socket =>
  socket.on('message', (data: Buffer) => socket.send(`live: ${data.toString()}`)),
)

const tls = { key: process.env['TLS_KEY'], cert: process.env['TLS_CERT'] }
const servers = [
  guardServer(createHttp(SERVER_OPTIONS, app)),
  guardServer(createHttps({ ...SERVER_OPTIONS, ...tls }, app)),
]
for (const server of servers) {
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/live')
      live.handleUpgrade(request, socket, head, client => live.emit('connection', client))
    else gateway.upgrade(request, socket, head)
  })
}
const [port = 0, tlsPort = 0] = await Promise.all(servers.map(listen))
ready({ port, tlsPort })
