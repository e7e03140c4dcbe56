import type { KeyObject } from 'node:crypto'
import type { Pool } from '../pool/pool.ts'
import { backendTags } from './backend-tags.ts'

/** The name of a backend in a signed value: its tag, or by option its id. */
export interface BackendTokens {
  /** The id of the member, or the departed one, that `token` names, in a value that the key of this index signed. */
  idOf(token: string, keyIndex: number): string | undefined
  tokenOf(id: string): string
}

/** @param keys of the tags, newest first */
export function backendTokens(pool: Pool, keys: readonly KeyObject[], opaque: boolean): BackendTokens {
  const tags = keys.map(key => backendTags(pool, key))
  return {
    // Whichever way it was written: the option may have changed since.
    idOf: (token, keyIndex) =>
      tags[keyIndex]?.idOf(token) ??
      ((pool.find(token) ?? pool.findDeparted(token)) === undefined ? undefined : token),
    tokenOf: id => (opaque ? (tags[0]?.tagOf(id) ?? '') : id),
  }
}
