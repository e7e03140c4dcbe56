import type { KeyObject } from 'node:crypto'
import type { BackendView } from '../pool/backend-view.ts'
import type { Pool } from '../pool/pool.ts'
import { opaqueTag } from '../signing/signing-key.ts'

/** Both ways between the ids of a pool's members, departed ones included, and the tags that stand for them under one key. */
export interface BackendTags {
  idOf(tag: string): string | undefined
  tagOf(id: string): string
}

/** Follows the pool's membership; a tag is computed once for each id. */
export function backendTags(pool: Pool, key: KeyObject): BackendTags {
  let members: readonly BackendView[] = []
  let departed: readonly BackendView[] = []
  const ids = new Map<string, string>()
  const tags = new Map<string, string>()

  /** One backend of thousands has changed, as a rule, so the maps are not made anew. */
  function follow(): void {
    if (members === pool.backends) return
    const before = members
    members = pool.backends
    for (const views of [pool.departed, members]) for (const { backend } of views) add(backend.id)
    for (const views of [departed, before]) for (const { backend } of views) forgetLost(backend.id)
    departed = pool.departed
  }

  function add(id: string): void {
    if (tags.has(id)) return
    const tag = opaqueTag(id, key)
    tags.set(id, tag)
    ids.set(tag, id)
  }

  function forgetLost(id: string): void {
    if (pool.find(id) !== undefined || pool.findDeparted(id) !== undefined) return
    ids.delete(tags.get(id) ?? '')
    tags.delete(id)
  }

  return {
    idOf(tag) {
      follow()
      return ids.get(tag)
    },
    tagOf(id) {
      follow()
      // A member that was removed while its request was in flight has no tag any more.
      return tags.get(id) ?? opaqueTag(id, key)
    },
  }
}
