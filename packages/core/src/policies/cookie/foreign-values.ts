import type { BackendView } from '../../pool/backend-view.ts'
import type { Pool } from '../../pool/pool.ts'
import type { ParsedFormat } from './foreign-format.ts'

/** Longer is no load balancer's: a digest has 64 characters, and HAProxy's dates a dozen more. */
const MAX_LENGTH = 128

/** The id of the member, or the departed one, that a foreign value stands for. Follows the pool's membership. */
export function foreignValues(
  pool: Pool,
  formats: readonly ParsedFormat[],
): (value: string) => string | undefined {
  let members: readonly BackendView[] | undefined
  let ids: readonly ReadonlyMap<string, string>[] = []

  return value => {
    if (formats.length === 0 || value.length > MAX_LENGTH) return undefined
    if (members !== pool.backends) {
      members = pool.backends
      const all = [...pool.departed, ...pool.backends]
      ids = formats.map(format => idsOf(format, all))
    }
    for (const [index, { keyOf }] of formats.entries()) {
      const id = ids[index]?.get(keyOf === undefined ? value : keyOf(value))
      if (id !== undefined) return id
    }
    return undefined
  }
}

function idsOf({ valuesOf }: ParsedFormat, members: readonly BackendView[]): ReadonlyMap<string, string> {
  return new Map(
    members.flatMap(member => valuesOf(member).map(value => [value, member.backend.id] as const)),
  )
}
