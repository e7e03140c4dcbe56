import { type Affinity, OptionError } from '@limpet/core'
import { cookiesCollide } from '@limpet/core/adapter'
import type { LimpetInfo } from '@limpet/http-proxy'
import { httpProxyOf, limitUnanswered, refuseConnect } from '@limpet/http-proxy/transport'
import type { FastifyInstance } from 'fastify'
import { backendConnections } from './backend-connection.ts'
import type { Closing } from './closing.ts'
import { type Forward, forwarder } from './forward.ts'
import { addForwarder, forwarderOf } from './scope-pools.ts'
import { serverState } from './server-state.ts'
import { type Limpet, type LimpetOptions, parseLimpetOptions } from './limpet-options.ts'
import { loadReplyFrom } from './reply-from.ts'
import { decorateRequest, mountRoutes } from './routes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The pool's part in the request; undefined until limpet has it, and for WebSocket handshakes. */
    limpet: LimpetInfo | undefined
  }
  interface FastifyReply {
    /**
     * Forwards the request to a pool that was registered with `routes: false`.
     * @param pool the pool's name @default 'default'
     */
    limpet(pool?: string): FastifyReply
  }
}

/**
 * Registers one pool: its routes, or `reply.limpet()`.
 * @throws OptionError naming the option, the value and the accepted values
 */
export async function limpetPlugin(fastify: FastifyInstance, options: LimpetOptions): Promise<void> {
  const limpet = parseLimpetOptions(options)
  refuseCollision(serverState(fastify).affinities, limpet.affinity)
  const connections = backendConnections(limpet.affinity, limpet.transport)
  const { responseHeaders } = limpet.rewriting
  const upgrades = httpProxyOf({ ...limpet, logger: limpet.logger ?? fastify.log }, { responseHeaders })
  const closing = closingOf(fastify)
  const forward = forwarder(limpet, { connections, upgrades, closing, from: await loadReplyFrom(fastify) })
  respondToConnect(fastify)
  limitUnanswered(fastify.server)
  fastify.addHook('preClose', async () => {
    closing.begin()
    // A server waits for its tunnels, and they would not end. Health checks end with them.
    upgrades.close()
  })
  fastify.addHook('onClose', async () => connections.close())
  if (limpet.routes !== undefined) await mountRoutes(fastify, limpet, limpet.routes, forward)
  else decorateReply(fastify, limpet, forward)
}

function decorateReply(fastify: FastifyInstance, { affinity }: Limpet, forward: Forward): void {
  if (!fastify.hasReplyDecorator('limpet')) {
    fastify.decorateReply('limpet', function (pool = 'default') {
      forwarderOf(this.server, pool)(this)
      return this
    })
  }
  decorateRequest(fastify)
  addForwarder(fastify, affinity.pool.name, forward)
}

function refuseCollision(affinities: Set<Affinity>, affinity: Affinity): void {
  affinities.add(affinity)
  for (const other of affinities) {
    for (const cookie of other === affinity ? [] : affinity.cookies) {
      if (other.cookies.some(theirs => cookiesCollide(theirs, cookie))) {
        const takes = `a name or a path that the cookie of pool ${other.pool.name} does not have`
        throw new OptionError(`cookie.name of pool ${affinity.pool.name}`, cookie.name, takes)
      }
    }
  }
}

/** A server that closes waits for its connections, and those that a response leaves idle would wait for a client. */
function closingOf({ server }: FastifyInstance): Closing & { begin(): void } {
  let isClosing = false
  return {
    get isClosing() {
      return isClosing
    },
    begin() {
      isClosing = true
    },
    responseEnded() {
      // A turn later it is idle.
      if (isClosing) setImmediate(() => server.closeIdleConnections?.())
    },
  }
}

/** Without a listener Node closes the connection of a CONNECT without a response. */
function respondToConnect(fastify: FastifyInstance): void {
  const { server } = fastify
  if (server.listenerCount('connect') === 0) server.on('connect', refuseConnect)
}
