import { MemoryStore, type PolicyOptions, type SharedStore } from '@limpet/core'

/** Stores of learned sessions, by the source that they are learned from. */
export type LearnedStores = ReadonlyMap<string, MemoryStore>

/**
 * The same policies with stores that outlive them, so that a reload keeps all sessions.
 * @param before the stores of the replaced policies
 * @param shared a store in the place of all, which outlives them as well
 */
export function keepLearned(
  policies: readonly PolicyOptions[] | undefined,
  before: LearnedStores = new Map(),
  shared?: SharedStore,
): { policies: readonly PolicyOptions[] | undefined; learned: LearnedStores } {
  const learned = new Map<string, MemoryStore>()
  const kept = policies?.map(policy => {
    if (!('learn' in policy)) return policy
    const { maxEntries, ...rest } = policy.learn
    if (shared !== undefined) return { learn: { ...rest, store: shared } }
    const key = JSON.stringify([rest.cookie, rest.header, maxEntries])
    const store = before.get(key) ?? new MemoryStore({ ...(maxEntries !== undefined && { maxEntries }) })
    learned.set(key, store)
    return { learn: { ...rest, store } }
  })
  return { policies: kept, learned }
}
