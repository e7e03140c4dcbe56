import type { Gateway, GatewayOptions } from '@limpet-example/demo/gateway'
import { createAffinity } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'

/**
 * Starts a gateway that brings all requests of a Socket.IO client to one server: its long polls and its WebSocket, by a
 * cookie. The server sends a ping every 25 s, so the default timeouts fit.
 */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const affinity = createAffinity({ backends, secrets: [secret] })
  const app = Fastify(gatewayServerOptions())
  app.get('/healthz', () => ({ status: 'ok' }))
  await app.register(limpet, { use: affinity, timeouts: { connect: '1s' } })
  const url = await app.listen({ host: '127.0.0.1', port })
  return {
    url,
    pool: affinity.pool,
    async close() {
      // A poll ends when there is news.
      const impatience = setTimeout(() => app.server.closeAllConnections(), 1_000)
      await app.close()
      clearTimeout(impatience)
    },
  }
}
