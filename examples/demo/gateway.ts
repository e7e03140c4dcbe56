import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BackendOptions, Pool } from '@limpet/core'

export interface GatewayOptions {
  readonly port: number
  /** Signs the cookie. Every gateway that has it, and the same backends, finds the same sessions. */
  readonly secret: string
  readonly backends: readonly BackendOptions[]
}

export interface Gateway {
  readonly url: string
  /** The address of the stats page, where the gateway has one. */
  readonly page?: string
  /** The backends and their states; may be changed while the gateway runs. */
  readonly pool: Pool
  close(): Promise<void>
}

export interface Listening {
  readonly port: number
  readonly pool: Pool
  /** Ends limpet's idle connections and tunnels. */
  readonly close: () => void
}

/** Makes `server` listen on 127.0.0.1, and the handle by which it is changed and closed. */
export async function listen(server: Server, { port, pool, close }: Listening): Promise<Gateway> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pool,
    async close() {
      // Takes no new connection and finishes what is in flight, but does not wait for ever.
      const impatience = setTimeout(() => server.closeAllConnections(), 5_000)
      // A browser would keep its connection after its answer.
      const idle = setInterval(() => server.closeIdleConnections(), 100)
      server.close()
      close()
      await once(server, 'close')
      clearInterval(idle)
      clearTimeout(impatience)
    },
  }
}
