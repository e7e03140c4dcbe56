import { type Affinity, OptionError } from '@limpet/core'
import { cookiesCollide } from '@limpet/core/adapter'
import { type LimpetInfo, refuseConnect } from '@limpet/http-proxy'
import { httpProxyOf, limitUnanswered } from '@limpet/http-proxy/transport'
import type { FastifyInstance } from 'fastify'
import { backendConnections } from './backend-connection.ts'
import { type Closing, type Forward, forwarder } from './forward.ts'
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

/** The forwarders of a scope's own registrations, by the pool's name. */
const FORWARDERS = new WeakMap<object, Map<string, Forward>>()

/** The affinities that one server has: two pools must not fight over one cookie. */
const AFFINITIES = new WeakMap<object, Set<Affinity>>()

/**
 * Registers one pool: its routes, or `reply.limpet()`.
 * @throws OptionError naming the option, the value and the accepted values
 */
export async function limpetPlugin(fastify: FastifyInstance, options: LimpetOptions): Promise<void> {
  const limpet = parseLimpetOptions(options)
  refuseCollision(fastify.server, limpet.affinity)
  const connections = backendConnections(limpet.affinity, limpet.transport)
  const upgrades = httpProxyOf({ ...limpet, logger: limpet.logger ?? fastify.log })
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
  const { name } = affinity.pool
  const forwarders = FORWARDERS.get(fastify) ?? new Map<string, Forward>()
  if (forwarders.has(name)) throw new OptionError('name', name, 'a name that no other pool of this scope has')
  FORWARDERS.set(fastify, forwarders.set(name, forward))
}

/** A scope has its own pools and those around it, the nearest first; Fastify's scopes inherit as prototypes. */
function forwarderOf(scope: FastifyInstance, pool: string): Forward {
  const names: string[] = []
  for (let at: object | null = scope; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const forward = FORWARDERS.get(at)?.get(pool)
    if (forward !== undefined) return forward
    names.push(...(FORWARDERS.get(at)?.keys() ?? []))
  }
  throw new OptionError('pool', pool, `one of ${names.join(', ')}`)
}

function refuseCollision(server: object, affinity: Affinity): void {
  const affinities = AFFINITIES.get(server) ?? new Set()
  AFFINITIES.set(server, affinities.add(affinity))
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
