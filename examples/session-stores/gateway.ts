import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'
import { isSticky, type Way } from './sessions.ts'

/** Starts a gateway with a cookie where sessions are in the memory of a shop, and without any affinity elsewhere. */
export async function startGateway(way: Way, { port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const proxy = limpet({
    backends,
    secrets: [secret],
    affinity: isSticky(way) ? [{ cookie: { maxIdle: '1d' } }] : [],
    health: { path: '/health', interval: '1s', fall: 2, rise: 2 },
    timeouts: { connect: '1s', response: '30s' },
  })
  const app = express()
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.use(proxy)
  const server = guardServer(createServer(SERVER_OPTIONS, app))
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
