import type { Balancer } from './balancer.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'
import type { Pool } from '../pool/pool.ts'
import type { HashOptions } from './hash-options.ts'
import { Rendezvous, SLOTS } from './rendezvous.ts'
import { roundRobin } from './round-robin.ts'

/**
 * Requests of one key go to one backend, in every gateway, with nothing stored and nothing written to the client.
 * When a backend leaves, its keys alone move; when one joins, keys move to it alone; see `Rendezvous`. Requests that
 * have no key take turns.
 * Good for: clients without a cookie jar, rooms whose members must meet, caches. The price: placement is as even as the
 * keys are, so clients that share an address share a backend. And it follows membership: a recovered backend takes its
 * sessions back, where a cookie would have left them in place.
 *
 * `boundedLoad` is for the former (Mirrokni, Thorup and Zadimoghaddam 2018): no backend gets a request that would take
 * it above that multiple of its weight's share of the requests in flight, rounded up. A full backend counts as absent.
 * So the overflow of one key goes where its sessions would go if the backend left, and that of many keys to all
 * backends. The bound costs a scan of the candidates and separates requests of one key, so it is off by default. It
 * works best where a cookie keeps the placement.
 */
export function hashBalancer(pool: Pool, { readKey, hash, boundedLoad }: HashOptions): Balancer {
  const turns = roundRobin()
  const words = new Uint32Array(2)
  let stable = new Rendezvous([], hash)

  function rendezvousOf(candidates: Candidates): Rendezvous {
    if (candidates === stable.candidates) return stable
    const fresh = new Rendezvous(candidates, hash)
    // A view made for a single redispatch must not replace the cached one.
    if (candidates === pool.candidates) stable = fresh
    return fresh
  }

  /** The winner of a key. */
  function winner(
    key: string,
    candidates: Candidates,
    accepts: ((view: BackendView) => boolean) | undefined,
  ): BackendView | undefined {
    hash(key, words)
    const slot = (words[0] ?? 0) % SLOTS
    const rendezvous = rendezvousOf(candidates)
    // A redispatch is in flight already.
    const inFlight = pool.inFlight + (accepts === undefined ? 1 : 0)
    // Not all can be full: they would have more in flight than the pool has, for the bound is above 1.
    const hasRoom = (view: BackendView): boolean =>
      boundedLoad === 0 || view.inFlight * rendezvous.weight < boundedLoad * (view.effectiveWeight * inFlight)
    if (accepts === undefined) {
      const view = rendezvous.winner(slot)
      return view === undefined || hasRoom(view) ? view : rendezvous.winnerOf(slot, hasRoom)
    }
    return (
      rendezvous.winnerOf(slot, view => accepts(view) && hasRoom(view)) ?? rendezvous.winnerOf(slot, accepts)
    )
  }

  return {
    name: 'hash',
    pick(candidates, request, accepts) {
      const key = readKey(request)
      return key === undefined ? turns.pick(candidates, request, accepts) : winner(key, candidates, accepts)
    },
    peek(candidates, request, accepts) {
      const key = readKey(request)
      return key === undefined ? turns.peek?.(candidates, request, accepts) : winner(key, candidates, accepts)
    },
  }
}
