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
  let members: readonly BackendView[] | undefined
  let ids = new Map<string, string>()
  let tags = new Map<string, string>()

  function follow(): void {
    if (members === pool.backends) return
    const known = tags
    members = pool.backends
    const all = [...pool.departed, ...members]
    tags = new Map(all.map(({ backend: { id } }) => [id, known.get(id) ?? opaqueTag(id, key)]))
    ids = new Map([...tags].map(([id, tag]) => [tag, id]))
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
