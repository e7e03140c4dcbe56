import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { type Affinity, createAffinity } from '@limpet/core'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'
import { roomPolicy } from './room.ts'

/** Starts a gateway that brings everyone in a room to the same backend. Nothing is signed, so it needs no secret. */
export async function startGateway({ port, backends }: GatewayOptions): Promise<Gateway> {
  const affinity: Affinity = createAffinity({
    backends,
    affinity: [roomPolicy(() => affinity.pool.backends)],
  })
  const proxy = limpet({ use: affinity, timeouts: { connect: '1s' } })

  const app = express()
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.use(proxy)

  // WebSockets come by an event of their own, past Express and its middleware.
  const server = guardServer(createServer(SERVER_OPTIONS, app)).on('upgrade', proxy.upgrade)
  return listen(server, { port, pool: affinity.pool, close: proxy.close })
}
