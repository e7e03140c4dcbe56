import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/koa'
import Koa from 'koa'
import { proxyContract } from './contract/index.ts'
import { startNodeGateway } from './support/node-gateway.ts'

proxyContract({
  name: 'koa',
  async start({ timeouts, tls, bodyLimit, ...options }) {
    const transport = { ...(timeouts && { timeouts }), ...(tls && { tls }) }
    const middleware = limpet({
      use: createAffinity(options),
      ...transport,
      ...(bodyLimit !== undefined && { bodyLimit }),
    })
    const app = new Koa().use(middleware)
    // Koa prints every error that no listener wants.
    app.on('error', () => {})
    return startNodeGateway(middleware, app.callback())
  },
})
