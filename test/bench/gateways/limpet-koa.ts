/** Koa with limpet. */
import { createServer } from 'node:http'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import { limpet } from '@limpet/koa'
import Koa from 'koa'
import { affinity } from './affinity.ts'
import { listen } from './listen.ts'

const middleware = limpet({ use: affinity })
const answer = new Koa().use(middleware).callback()
const server = createServer(SERVER_OPTIONS, (request, response) => void answer(request, response))
listen(guardServer(server).on('upgrade', middleware.upgrade), affinity)
