import { createServer } from 'node:http'
import { type Gateway, type GatewayOptions, listen } from '@limpet-example/demo/gateway'
import { guardServer, limpet, SERVER_OPTIONS } from '@limpet/koa'
import Koa from 'koa'

/** Starts a gateway that brings every visitor back to the same backend. */
export async function startGateway({ port, secret, backends }: GatewayOptions): Promise<Gateway> {
  const proxy = limpet({ backends, secrets: [secret], timeouts: { connect: '1s', response: '30s' } })

  // The app's own routes answer for themselves; limpet has all the others. It stands before body parsers.
  const app = new Koa()
  app.use(async (ctx, next) => {
    if (ctx.path === '/healthz') ctx.body = { status: 'ok' }
    else await next()
  })
  app.use(proxy)

  // Limits for slow and greedy clients: a gateway is the first server that they reach.
  const answer = app.callback()
  const server = guardServer(
    createServer(SERVER_OPTIONS, (request, response) => void answer(request, response)),
  )
  server.on('upgrade', proxy.upgrade)
  return listen(server, { port, pool: proxy.affinity.pool, close: proxy.close })
}
