import './telemetry.cjs'
import { createServer } from 'node:http'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'
import { listen, pool, ready } from './program.js'

const app = express()
const gateway = limpet(pool)
app.use(gateway)
const server = guardServer(createServer(SERVER_OPTIONS, app)).on('upgrade', gateway.upgrade)
void listen(server).then(port => ready({ port }))
