import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import type { AffinityOptions } from '@limpet/core'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/express'
import express from 'express'

export type Balance = NonNullable<AffinityOptions['balance']>

/**
 * All turns of a conversation go to the server that has its prefix cached. A server with more than 1.25 times its share
 * of the requests in flight is passed over: then another one computes the prefix anew, which is slower and not wrong.
 */
export const BY_CONVERSATION: Balance = {
  hash: 'header:X-Conversation-Id',
  boundedLoad: 1.25,
}

export interface InferenceOptions extends Omit<GatewayOptions, 'secret'> {
  readonly balance?: Balance
}

/** Starts a gateway before inference servers. */
export async function startGateway(options: InferenceOptions): Promise<Gateway> {
  const { port, backends, balance = BY_CONVERSATION } = options
  const proxy = limpet({ backends, affinity: [], balance, timeouts: { connect: '1s' } })
  const app = express()
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.use(proxy)
  const server = guardServer(createServer(SERVER_OPTIONS, app))
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
