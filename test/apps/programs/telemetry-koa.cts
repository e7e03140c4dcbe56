import './telemetry.cjs'
import { createServer } from 'node:http'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/koa'
import Koa from 'koa'
import { listen, pool, ready } from './program.js'

const app = new Koa()
const gateway = limpet(pool)
app.use(gateway)
const server = guardServer(createServer(SERVER_OPTIONS, app.callback())).on('upgrade', gateway.upgrade)
void listen(server).then(port => ready({ port }))
