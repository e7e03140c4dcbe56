import { createHash } from 'node:crypto'
import type { AffinityPolicy, BackendView, RequestHead } from '@limpet/core'

/*
 * Everyone in a room has to meet, whoever they are: the room's name is the key, and no client carries anything.
 * Each room has an order of its own in which it would like the backends (rendezvous hashing), the same in every
 * gateway. So a backend's rooms come to one next backend each when it dies, and all others stay where they are.
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
  // What is in no room has an order, too: that of its address.
  const key = /^\/rooms\/([\w-]+)/.exec(url)?.[1] ?? url
  const rank = ({ backend }: BackendView): string =>
    createHash('sha256').update(`${key} ${backend.id}`).digest('hex')
  return views.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
}
