import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Affinity } from '@limpet/core'
import { guardServer, SERVER_OPTIONS, type UpgradeListener } from '@limpet/http-proxy'
import type { Around, Gateway } from '../contract/harness.ts'

/** The common part of the middleware of Express and Koa. */
interface Mounted {
  readonly affinity: Affinity
  readonly upgrade: UpgradeListener
  readonly close: () => void
}

/** Starts a server of node:http that has a framework's app, with limpet mounted, for a listener. */
export async function startNodeGateway(
  mounted: Mounted,
  listener: RequestListener,
  around?: Around,
): Promise<Gateway> {
  const server = guardServer(createServer(SERVER_OPTIONS, listener)).on(
    'upgrade',
    around === undefined
      ? mounted.upgrade
      : (request, socket, head) => around.enter(request, () => mounted.upgrade(request, socket, head)),
  )
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    server,
    affinity: mounted.affinity,
    async close() {
      mounted.close()
      await new Promise<unknown>(resolve => {
        server.close(resolve)
        server.closeIdleConnections()
      })
    },
  }
}
