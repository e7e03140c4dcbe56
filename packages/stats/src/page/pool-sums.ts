import { type PoolFigures, quantileMs } from '@limpet/core'
import { shownState } from './backend-state.ts'
import { type Fact, factList } from './fact-list.ts'
import type { Html } from './html.ts'
import type { RateHistory } from './rate-history.ts'
import { sparkline } from './sparkline.ts'
import { countText, msText, reasonsText } from './written.ts'

/** A pool in sums over its backends. */
export function poolSums(pool: PoolFigures, history: RateHistory): Html {
  const { backends, refused, retryBudget } = pool
  const known = backends.flatMap(({ sessions }) => sessions ?? [])
  const isEstimated = backends.some(one => one.sessionsEstimated)
  const down = backends.filter(one => shownState(one) === 'down').length
  const refusals = Object.entries(refused).map(([code, count]) => `${countText(count)} ${code}`)
  const sums: readonly Fact[] = [
    ['take new sessions', `${countText(pool.candidates)} of ${countText(backends.length)}`],
    ['down', countText(down)],
    ['sessions', known.length === 0 ? '–' : `${isEstimated ? '~' : ''}${countText(total(known))}`],
    ['requests', sparkline(history.of(pool.pool))],
    ['in flight', countText(pool.inFlight)],
    ['queued', countText(pool.queued)],
    ['p99', msText(quantileMs(pool.durations, 0.99))],
    ['sessions moved', movesOfPool(pool)],
    ['refused', refusals.length === 0 ? '0' : refusals.join(', ')],
    [
      'retries left',
      `${countText(retryBudget.left)}${retryBudget.denied > 0 ? `, ${countText(retryBudget.denied)} denied` : ''}`,
    ],
  ]
  return factList('sums', sums)
}

function movesOfPool({ backends, sessionsOfRemoved }: PoolFigures): string {
  const reasons = {
    failed: total(backends.map(one => one.sessionsMoved.failed)),
    drained: total(backends.map(one => one.sessionsMoved.drained)),
    full: total(backends.map(one => one.sessionsMoved.full)),
    rebalanced: total(backends.map(one => one.sessionsMoved.rebalanced)),
    removed: sessionsOfRemoved,
  }
  return reasonsText(reasons) || '0'
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
