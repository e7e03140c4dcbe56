import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'

/**
 * Starts a gateway that brings all requests of an MCP session to the server that began it. A client of MCP keeps no
 * cookies; it repeats the `Mcp-Session-Id` of the server's first response, and the gateway learns from that response.
 */
export async function startGateway({ port, backends }: GatewayOptions): Promise<Gateway> {
  const proxy = limpet({
    backends,
    affinity: [{ learn: { header: 'Mcp-Session-Id', ttl: '1h' } }],
    // A stream of server messages is silent for as long as the server has nothing to say.
    timeouts: { connect: '1s', idle: '1h' },
  })
  const app = express()
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.use(proxy)
  const server = guardServer(createServer(SERVER_OPTIONS, app))
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
