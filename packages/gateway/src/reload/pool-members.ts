import type { BackendOptions, Discovered, Pool } from '@limpet/core'

/** A member of a pool, for another process: its options and an operator's commands. */
export interface PoolMember {
  readonly options: BackendOptions
  /** Discovery's report, for a discovered backend. */
  readonly discovered: Discovered | undefined
  /** Its drain that is under way, if it has one. Times in milliseconds, since the epoch. */
  readonly drain: MemberDrain | undefined
}

interface MemberDrain {
  readonly deadlineAtMs: number
  readonly spreadMs: number
}

/** Those of each pool, by its name. */
export type Members = Readonly<Record<string, readonly PoolMember[]>>

export function membersOf(pool: Pool): readonly PoolMember[] {
  return pool.backends.map(({ backend, options, discovered }) => ({
    options: { ...options, url: backend.url.href },
    discovered,
    drain: drainOf(pool, backend.id),
  }))
}

function drainOf(pool: Pool, id: string): MemberDrain | undefined {
  const drain = pool.drainOf(id)
  return drain && { deadlineAtMs: drain.deadlineAtMs, spreadMs: drain.spreadMs }
}

/** Makes `members` those of `pool`. A member that stays keeps what this process has observed of it. */
export function restoreMembers(pool: Pool, members: readonly PoolMember[]): void {
  const discovered = members.flatMap(({ options, discovered: said }) =>
    said === undefined ? [] : [[options.id, said] as const],
  )
  const before = pool.backends
  pool.replace(
    members.map(({ options }) => options),
    new Map(discovered),
  )
  // An operator may have removed it there, and such a backend has no grace time.
  for (const { backend } of before) {
    if (pool.find(backend.id) === undefined) pool.remove(backend.id)
  }
  for (const { options, drain } of members) {
    if (drain === undefined || pool.drainOf(options.id) !== undefined) continue
    const deadline = Math.max(0, drain.deadlineAtMs - Date.now())
    pool.drain(options.id, { deadline, spread: drain.spreadMs })
  }
}
