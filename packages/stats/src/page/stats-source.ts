import type { Affinity, BackendFigures, DrainOptions, PoolFigures } from '@limpet/core'
import { PageError } from './page-error.ts'

/** A pool that was replaced and still has requests. */
export interface EndingPool {
  readonly pool: string
  readonly inFlight: number
}

/** Everything that the page shows. */
export interface StatsFigures {
  readonly pools: readonly PoolFigures[]
  /** Pools that were replaced and still have requests. @default none */
  readonly ending?: readonly EndingPool[]
  /** Whether shutdown has begun. @default false */
  readonly closing?: boolean
}

/** An operator's change of one backend. */
export type BackendChange =
  | { readonly state: 'ready' | 'maint' }
  | {
      readonly state: 'drain'
      /** A duration as `10m`. */
      readonly deadline: string
      /** The time over which sessions move from the deadline on, as `30s`. @default '0s' */
      readonly spread?: string
    }
  | { readonly weight: number }

/** The place that the page has its figures from, and where it sends changes. */
export interface StatsSource {
  figures(): StatsFigures | Promise<StatsFigures>
  /**
   * Changes one backend.
   * @throws an error with a `statusCode` of 400 to 499 for a change that is refused; its message is shown
   */
  change(pool: string, id: string, change: BackendChange): void | Promise<void>
}

/** The pools of an app. */
export function affinitySource(affinities: readonly Affinity[]): StatsSource {
  return {
    figures: () => ({ pools: affinities.map(affinity => affinity.stats()) }),
    change(pool, id, change) {
      const affinity = affinities.find(one => one.pool.name === pool)
      if (affinity?.pool.find(id) === undefined) throw PageError.unknownBackend()
      if ('weight' in change) affinity.pool.setWeight(id, change.weight)
      else if (change.state === 'drain') {
        const { deadline, spread = '0s' } = change
        affinity.pool.drain(id, { deadline, spread } as DrainOptions)
      } else affinity.pool.setState(id, change.state)
    },
  }
}

/** @throws PageError when the pool or the backend is unknown */
export function findBackend(
  { pools }: StatsFigures,
  pool: string | null,
  id: string | null,
): { readonly pool: PoolFigures; readonly backend: BackendFigures } {
  const found = pools.find(one => one.pool === pool)
  const backend = found?.backends.find(one => one.id === id)
  if (found === undefined || backend === undefined) throw PageError.unknownBackend()
  return { pool: found, backend }
}
