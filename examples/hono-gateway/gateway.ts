import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import { Hono } from 'hono'
import { type LimpetEnv, limpet, listenerOf } from './limpet.ts'

/** Starts a gateway that brings every visitor back to the same backend. */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const proxy = limpet({ backends, secrets: [secret], timeouts: { connect: '1s', response: '30s' } })

  // The app's own routes respond for themselves; limpet has all the others.
  const app = new Hono<LimpetEnv>()
  app.get('/healthz', c => c.json({ status: 'ok' }))
  app.use(proxy)

  // Limits for slow and greedy clients: a gateway is the first server that they reach.
  const server = guardServer(createServer(SERVER_OPTIONS, listenerOf(app)))
  server.on('upgrade', proxy.upgrade)
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
