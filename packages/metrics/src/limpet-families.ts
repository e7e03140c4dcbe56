import type { PoolFigures } from '@limpet/core'
import { type AnyFamily, gauge, labelsOf } from './family.ts'
import { labelledPool } from './labelled-pool.ts'
import { requestFamilies } from './request-families.ts'
import { sessionFamilies } from './session-families.ts'
import { stateFamilies } from './state-families.ts'

/** The metrics under limpet's own names. One word of a label is never more than configuration and discovery know. */
export function limpetFamilies(
  pools: readonly PoolFigures[],
  build: Readonly<Record<string, string>>,
): AnyFamily[] {
  const all = pools.map(labelledPool)
  return [
    gauge('limpet_build_info', 'The version of limpet and of Node; always 1.', [[labelsOf(build), 1]]),
    ...requestFamilies(all),
    ...sessionFamilies(all),
    ...stateFamilies(all),
  ]
}
