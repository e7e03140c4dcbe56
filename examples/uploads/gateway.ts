import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/koa'
import Koa from 'koa'

/** Starts a gateway that brings all parts of an upload to the same backend, by the client's cookie. */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const proxy = limpet({
    backends,
    secrets: [secret],
    affinity: [{ cookie: { name: 'UPLOADS', path: '/uploads', maxIdle: '10m' } }],
    // Of one part, which is streamed: the gateway keeps none of it.
    bodyLimit: 8 * 1024 * 1024,
  })
  const answer = new Koa().use(proxy).callback()
  const server = guardServer(
    createServer(SERVER_OPTIONS, (request, response) => void answer(request, response)),
  )
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
