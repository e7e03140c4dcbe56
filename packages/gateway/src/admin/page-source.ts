import type { EndingPool, StatsSource } from '@limpet/stats'
import type { Operations } from './operations.ts'

/** The figures and the changes of the stats page, by the operations of the admin port. */
export function pageSource(operations: Operations): StatsSource {
  return {
    async figures() {
      const [pools, ending] = await Promise.all([operations.stats(), operations.ending()])
      return { pools: Object.values(pools), ending: merged(ending), closing: operations.isEnding }
    },
    async change(pool, id, change) {
      await operations.operate({ what: 'change', pool, id, body: { ...change } })
    },
  }
}

/** Several reloads, and several workers, may each have left a pool of the same name. */
function merged(ending: readonly EndingPool[]): readonly EndingPool[] {
  const sums = new Map<string, number>()
  for (const { pool, inFlight } of ending) sums.set(pool, (sums.get(pool) ?? 0) + inFlight)
  return Array.from(sums, ([pool, inFlight]) => ({ pool, inFlight }))
}
