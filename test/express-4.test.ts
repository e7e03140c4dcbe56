import { createRequire } from 'node:module'
import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/express'
import type { Express } from 'express'
import { proxyContract } from './contract/index.ts'
import { startNodeGateway } from './support/node-gateway.ts'

/** The version before, which has no types of its own under this name. */
const express = createRequire(import.meta.url)('express-4') as () => Express

proxyContract({
  name: 'express 4',
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
