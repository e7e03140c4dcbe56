import { OptionError } from '@limpet/core'
import type { FastifyInstance } from 'fastify'
import type { Forward } from './forward.ts'

const POOLS = Symbol('limpet.pools')

declare module 'fastify' {
  interface FastifyInstance {
    /** The pools of `reply.limpet()` in this scope; absent: there are none in it or around it. */
    readonly [POOLS]?: ScopePools
  }
}

/** The pools of one scope and of those around it. */
interface ScopePools {
  readonly scope: FastifyInstance
  /** By the pool's name. */
  readonly forwarders: Map<string, Forward>
  readonly around: ScopePools | undefined
}

/** @throws OptionError for a name that another pool of `scope` has */
export function addForwarder(scope: FastifyInstance, name: string, forward: Forward): void {
  const { forwarders } = poolsOf(scope)
  if (forwarders.has(name)) throw new OptionError('name', name, 'a name that no other pool of this scope has')
  forwarders.set(name, forward)
}

/**
 * The forwarder of a pool of `scope`, or else of the nearest scope around it.
 * @throws OptionError for an unknown name
 */
export function forwarderOf(scope: FastifyInstance, pool: string): Forward {
  const names: string[] = []
  for (let at = scope[POOLS]; at !== undefined; at = at.around) {
    const forward = at.forwarders.get(pool)
    if (forward !== undefined) return forward
    names.push(...at.forwarders.keys())
  }
  throw new OptionError('pool', pool, `one of ${names.join(', ')}`)
}

/** A scope inherits the decorator of the scope around it, until it has a pool of its own. */
function poolsOf(scope: FastifyInstance): ScopePools {
  const nearest = scope[POOLS]
  if (nearest?.scope === scope) return nearest
  const own: ScopePools = { scope, forwarders: new Map(), around: nearest }
  scope.decorate(POOLS, own)
  return own
}
