import type { BackendFigures, PoolFigures } from '@limpet/core'
import { labelsOf, type Sample, withLabel } from './family.ts'

/** A pool and its backends, with their labels. */
export interface LabelledPool {
  readonly pool: PoolFigures
  readonly labels: string
  readonly backends: readonly (readonly [labels: string, backend: BackendFigures])[]
}

export function labelledPool(pool: PoolFigures): LabelledPool {
  return {
    pool,
    labels: labelsOf({ pool: pool.pool }),
    backends: pool.backends.map(backend => [labelsOf({ pool: pool.pool, backend: backend.id }), backend]),
  }
}

/** A sample for each backend. Made one by one, when their text is written: all at once would hold up requests. */
export function* ofBackend(
  all: readonly LabelledPool[],
  read: (backend: BackendFigures) => number | undefined,
): Generator<Sample> {
  for (const { backends } of all) {
    for (const [labels, backend] of backends) {
      const value = read(backend)
      if (value !== undefined) yield [labels, value]
    }
  }
}

/** A sample for each backend and word, which becomes a label. */
export function* eachBackend(
  all: readonly LabelledPool[],
  read: (backend: BackendFigures) => Readonly<Record<string, number>>,
  label: string,
): Generator<Sample> {
  for (const { backends } of all) {
    for (const [labels, backend] of backends) {
      for (const [word, value] of Object.entries(read(backend))) yield [withLabel(labels, label, word), value]
    }
  }
}

/** A sample for each pool. */
export function* ofPool(
  all: readonly LabelledPool[],
  read: (pool: PoolFigures) => number,
): Generator<Sample> {
  for (const { labels, pool } of all) yield [labels, read(pool)]
}

/** A sample for each pool and word, which becomes a label. */
export function* eachPool(
  all: readonly LabelledPool[],
  read: (pool: PoolFigures) => Readonly<Record<string, number>>,
  label: string,
): Generator<Sample> {
  for (const { labels, pool } of all) {
    for (const [word, value] of Object.entries(read(pool))) yield [withLabel(labels, label, word), value]
  }
}
