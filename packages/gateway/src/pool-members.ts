import type { BackendOptions, Discovered, Pool } from '@limpet/core'

/** A member of a pool, for another process: with what was commanded. */
export interface PoolMember {
  readonly options: BackendOptions
  /** When it was found by its name, what was said of it. */
  readonly discovered: Discovered | undefined
}

/** Those of each pool, by its name. */
export type Members = Readonly<Record<string, readonly PoolMember[]>>

export function membersOf(pool: Pool): readonly PoolMember[] {
  return pool.backends.map(({ backend, options }) => ({
    options: { ...options, url: backend.url.href },
    discovered: pool.discovered.get(backend),
  }))
}

/** Makes `members` those of `pool`; what it knows itself of one that stays, it goes on knowing. */
export function restoreMembers(pool: Pool, members: readonly PoolMember[]): void {
  pool.replace(members.map(({ options }) => options))
  pool.discovered = new Map(
    members.flatMap(({ options, discovered }) => {
      const view = pool.find(options.id)
      return view === undefined || discovered === undefined ? [] : [[view.backend, discovered] as const]
    }),
  )
}
