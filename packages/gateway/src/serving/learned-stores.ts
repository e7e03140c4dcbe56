import { MemoryStore, type PolicyOptions, type SharedStore } from '@limpet/core'
import type { PoolConfig } from '../config/config.ts'

/** Stores of learned sessions, by the source that they are learned from. */
export type LearnedStores = ReadonlyMap<string, MemoryStore>

/**
 * The same policies with stores that outlive them, so that a reload keeps all sessions.
 * @param before the stores of the replaced policies
 * @param sharedOf makes stores in their place that processes share, for so many sessions at most
 */
export function keepLearned(
  policies: readonly PolicyOptions[] | undefined,
  before: LearnedStores = new Map(),
  sharedOf?: (maxEntries: number | undefined) => SharedStore,
): { policies: readonly PolicyOptions[] | undefined; learned: LearnedStores } {
  const learned = new Map<string, MemoryStore>()
  const kept = policies?.map(policy => {
    if (!('learn' in policy)) return policy
    const { maxEntries, ...rest } = policy.learn
    if (sharedOf !== undefined) return { learn: { ...rest, store: sharedOf(maxEntries) } }
    const key = JSON.stringify([rest.cookie, rest.header, maxEntries])
    const store = before.get(key) ?? new MemoryStore({ ...(maxEntries !== undefined && { maxEntries }) })
    learned.set(key, store)
    return { learn: { ...rest, store } }
  })
  return { policies: kept, learned }
}

/** The tables of learned sessions, by the names by which processes share them: sessions of each at most. */
export type LearnedTables = ReadonlyMap<string, number | undefined>

export function learnedTables(pools: readonly PoolConfig[]): LearnedTables {
  return new Map(
    pools.flatMap(({ name, options }) =>
      (options.affinity ?? []).flatMap(policy => {
        if (!('learn' in policy)) return []
        const { cookie, header, maxEntries } = policy.learn
        const field = header === undefined ? `cookie/${cookie}` : `header/${header}`
        return [[`${name}/${field}`, maxEntries] as const]
      }),
    ),
  )
}
