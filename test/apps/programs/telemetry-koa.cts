import './telemetry.cjs'
import { createServer } from 'node:http'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/koa'
import Koa from 'koa'
import { listen, pool, ready } from './program.js'

const app = new Koa()
app.use(limpet(pool))
void listen(guardServer(createServer(SERVER_OPTIONS, app.callback()))).then(port => ready({ port }))
