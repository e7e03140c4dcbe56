// An application on Express with a Socket.IO server of its own, in front of backends that have one, too.
import { createServer } from 'node:http'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'
import { Server } from 'socket.io'
import { listen, pool, ready } from './program.ts'

const app = express()
const gateway = limpet({ ...pool, filter: ({ url = '' }) => !url.startsWith('/own/') })
app.use(gateway)
const server = guardServer(createServer(SERVER_OPTIONS, app))
server.on('upgrade', gateway.upgrade)
// By default Socket.IO destroys the handshakes of every other path after a second.
const io = new Server(server, { path: '/own/socket.io', destroyUpgrade: false })
io.on('connection', socket => socket.on('who', reply => (reply as (id: string) => void)('application')))
ready({ port: await listen(server) })
