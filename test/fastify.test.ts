import type { AddressInfo } from 'node:net'
import { createAffinity } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import fastify from 'fastify'
import { proxyContract } from './contract/index.ts'

proxyContract({
  name: 'fastify',
  async start({ timeouts, tls, bodyLimit, ...options }) {
    const affinity = createAffinity(options)
    const app = fastify(gatewayServerOptions())
    const transport = { ...(timeouts && { timeouts }), ...(tls && { tls }) }
    await app.register(limpet, { use: affinity, ...transport, ...(bodyLimit !== undefined && { bodyLimit }) })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return { port, affinity, close: () => app.close() }
  },
})
