import type { Gateway, GatewayOptions } from '@limpet-example/demo/gateway'
import { createAffinity } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { statsPage } from '@limpet/stats'
import Fastify from 'fastify'

/** Starts a gateway that brings every visitor back to the same backend. */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const affinity = createAffinity({ backends, secrets: [secret] })

  // Limits for slow and greedy clients: a gateway is the first server that they reach.
  const app = Fastify(gatewayServerOptions())

  // The app's own routes answer for themselves; limpet has all the others.
  app.get('/healthz', () => ({ status: 'ok' }))
  // For operators: it answers requests of this machine alone, as long as no `authorize` says otherwise.
  await app.register(statsPage(affinity).fastify, { prefix: '/limpet' })
  await app.register(limpet, { use: affinity, timeouts: { connect: '1s', response: '30s' } })

  const url = await app.listen({ host: '127.0.0.1', port })
  return {
    url,
    page: `${url}/limpet`,
    pool: affinity.pool,
    async close() {
      // Takes no new connection and finishes what is in flight, but does not wait for ever.
      const impatience = setTimeout(() => app.server.closeAllConnections(), 5_000)
      await app.close()
      clearTimeout(impatience)
    },
  }
}
