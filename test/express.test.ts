import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/express'
import express from 'express'
import { proxyContract } from './contract/index.ts'
import { startNodeGateway } from './support/node-gateway.ts'

proxyContract({
  name: 'express 5',
  async start({ timeouts, tls, bodyLimit, ...options }) {
    const transport = { ...(timeouts && { timeouts }), ...(tls && { tls }) }
    const handler = limpet({
      use: createAffinity(options),
      ...transport,
      ...(bodyLimit !== undefined && { bodyLimit }),
    })
    return startNodeGateway(handler, express().use(handler))
  },
})
