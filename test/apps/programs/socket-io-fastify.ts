// An application on Fastify with a Socket.IO server of its own, in front of backends that have one, too.
import type { AddressInfo } from 'node:net'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'
import { Server } from 'socket.io'
import { pool, ready } from './program.ts'

const app = Fastify(gatewayServerOptions())
await app.register(limpet, pool)
// By default Socket.IO destroys the handshakes of every other path after a second.
const io = new Server(app.server, { path: '/own/socket.io', destroyUpgrade: false })
io.on('connection', socket => socket.on('who', reply => (reply as (id: string) => void)('application')))
await app.listen({ port: 0, host: '127.0.0.1' })
ready({ port: (app.server.address() as AddressInfo).port })
