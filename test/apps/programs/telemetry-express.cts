import './telemetry.cjs'
import { createServer } from 'node:http'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'
import { listen, pool, ready } from './program.js'

const app = express()
app.use(limpet(pool))
void listen(guardServer(createServer(SERVER_OPTIONS, app))).then(port => ready({ port }))
