import type { BackendFigures, HistogramFigures } from '@limpet/core'
import type { Sample } from './family.ts'

/** Figures, each with the labels of its samples. */
export type Labelled<T> = readonly (readonly [labels: string, figures: T])[]

/** A sample for each for which there is a value. */
export function* each<T>(all: Labelled<T>, read: (figures: T) => number | undefined): Generator<Sample> {
  for (const [labels, figures] of all) {
    const value = read(figures)
    if (value !== undefined) yield [labels, value]
  }
}

/** The state of a server in HAProxy's words. */
export const SERVER_STATES = ['UP', 'DOWN', 'MAINT', 'DRAIN', 'NOLB'] as const

export function stateOf({ state, healthy, selfDraining }: BackendFigures): (typeof SERVER_STATES)[number] {
  if (state === 'maint') return 'MAINT'
  if (!healthy) return 'DOWN'
  if (state === 'drain') return 'DRAIN'
  return selfDraining ? 'NOLB' : 'UP'
}

export function responseErrors({ failures, failuresByKind }: BackendFigures): number {
  return failures - failuresByKind.unreached
}

/** In seconds. */
export function mean({ count, sumMs }: HistogramFigures): number | undefined {
  return count === 0 ? undefined : sumMs / count / 1000
}
