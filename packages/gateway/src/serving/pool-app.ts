import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Affinity } from '@limpet/core'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import type { AdapterName } from '../config/config.ts'

/** One pool behind an app of its framework, which has no server of its own: the gateway's hands its requests over. */
export interface PoolApp {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes idle connections, tunnels and health checks. Requests in flight may fail. */
  close(): Promise<void>
}

/** An existing affinity, and the options of the connections to its backends. */
export type ServedPool = HttpProxyOptions & { readonly use: Affinity }

/** Loads only the framework that serves: the other two would cost every process their memory. */
export async function startPoolApp(adapter: AdapterName, pool: ServedPool): Promise<PoolApp> {
  switch (adapter) {
    case 'fastify': {
      const { fastifyApp } = await import('./fastify-app.ts')
      return fastifyApp(pool)
    }
    case 'express': {
      const { expressApp } = await import('./express-app.ts')
      return expressApp(pool)
    }
    case 'koa': {
      const { koaApp } = await import('./koa-app.ts')
      return koaApp(pool)
    }
  }
}
