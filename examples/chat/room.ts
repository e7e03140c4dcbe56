import { createHash } from 'node:crypto'
import type { AffinityPolicy, BackendView, RequestHead } from '@limpet/core'

/*
 * All members of a room have to meet: the room's name is the key, and clients carry nothing.
 * Each room has its own order of preference among the backends (rendezvous hashing), the same in every
 * gateway. So when a backend dies, each of its rooms moves to one next backend, and all others stay where they are.
 */

/**
 * Claims the backends in the room's order: the first that is usable wins, draining or not, and a request that finds it
 * dead goes on to the next.
 */
export function roomPolicy(backends: () => readonly BackendView[]): AffinityPolicy {
  return {
    name: 'room',
    read: request => ranked(backends(), request).map(({ backend: { id } }) => ({ kind: 'backend', id })),
  }
}

function ranked(views: readonly BackendView[], { url }: RequestHead): readonly BackendView[] {
  // A request outside of a room has an order, too: that of its path.
  const key = /^\/rooms\/([\w-]+)/.exec(url)?.[1] ?? url
  const rank = ({ backend }: BackendView): string =>
    createHash('sha256').update(`${key} ${backend.id}`).digest('hex')
  return views.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
}
