/** Express with limpet. */
import { createServer } from 'node:http'
import { limpet } from '@limpet/express'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import express from 'express'
import { affinity } from './affinity.ts'
import { listen } from './listen.ts'

const handler = limpet({ use: affinity })
const app = express().use('/api', handler)
listen(guardServer(createServer(SERVER_OPTIONS, app)).on('upgrade', handler.upgrade), affinity)
