import type { Gateway, GatewayOptions } from '@limpet-example/demo/gateway'
import { createAffinity } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import Fastify from 'fastify'

/**
 * Starts a gateway that brings a visitor's streams of events to one server, by a cookie. A stream may be silent for any time:
 * `timeouts.idle`, which would end it, is not set.
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
      // A stream of events ends only when it is ended.
      const impatience = setTimeout(() => app.server.closeAllConnections(), 1_000)
      await app.close()
      clearTimeout(impatience)
    },
  }
}
