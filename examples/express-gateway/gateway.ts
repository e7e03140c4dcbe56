import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BackendOptions, createAffinity, type Pool } from '@limpet/core'
import { limpet } from '@limpet/express'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import express from 'express'

export interface GatewayOptions {
  readonly port: number
  /** Signs the cookie. Every gateway that has it, and the same backends, finds the same sessions. */
  readonly secret: string
  readonly backends: readonly BackendOptions[]
}

export interface Gateway {
  readonly url: string
  /** Who is in it and in which state; to be changed while the gateway runs. */
  readonly pool: Pool
  close(): Promise<void>
}

/** Starts a gateway that brings every visitor back to the same backend. */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const affinity = createAffinity({ backends, secrets: [secret] })
  const proxy = limpet({ use: affinity, timeouts: { connect: '1s', response: '30s' } })

  // The app's own routes answer for themselves; limpet has all the others. It stands before body parsers.
  const app = express()
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.use(proxy)

  // Limits for slow and greedy clients, which a gateway meets before anybody else does.
  const server = guardServer(createServer(SERVER_OPTIONS, app)).on('upgrade', proxy.upgrade)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pool: affinity.pool,
    async close() {
      // Takes no new connection and finishes what is in flight, but does not wait for ever.
      const impatience = setTimeout(() => server.closeAllConnections(), 5_000)
      proxy.close()
      server.close()
      await once(server, 'close')
      clearTimeout(impatience)
    },
  }
}
