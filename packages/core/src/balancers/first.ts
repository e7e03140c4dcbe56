import type { Balancer } from './balancer.ts'

/**
 * The first of the candidates, in the order of configuration; the others are spares (HAProxy `first`, Caddy `first`).
 * Good for: a primary with stand-bys, and as few warm backends as possible. The price: one gets all new sessions until
 * it is no candidate, or has `maxInFlight` requests, as with HAProxy's `maxconn`.
 */
export function first(): Balancer {
  return { name: 'first', pick: firstAble, peek: firstAble }
}

const firstAble: Balancer['pick'] = (candidates, _request, accepts) =>
  accepts === undefined ? candidates[0] : candidates.find(view => accepts(view))
