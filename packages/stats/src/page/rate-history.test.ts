import type { PoolFigures } from '@limpet/core'
import { expect, it } from 'vitest'
import { poolOf } from './figures.fixture.ts'
import { MAX_RATES, RateHistory } from './rate-history.ts'

function look(atMs: number, requests: Readonly<Record<string, number>>): readonly PoolFigures[] {
  const pool = poolOf(
    Object.fromEntries(Object.entries(requests).map(([id, count]) => [id, { requests: count }])),
  )
  const all = Object.values(requests).reduce((sum, count) => sum + count, 0)
  return [{ ...pool, atMs, requests: all }]
}

it('makes rates of the looks at a page, none of the first', () => {
  const history = new RateHistory()
  history.note(look(0, { w1: 100, w2: 0 }))
  expect([history.of('web'), history.of('web', 'w1')]).toEqual([[], []])
  history.note(look(2_000, { w1: 120, w2: 6 }))
  history.note(look(3_000, { w1: 120, w2: 7 }))
  expect([history.of('web'), history.of('web', 'w1'), history.of('web', 'w2')]).toEqual([
    [13, 1],
    [10, 0],
    [3, 1],
  ])
})

it('leaves out a look that comes too soon', () => {
  const history = new RateHistory()
  history.note(look(0, { w1: 0 }))
  history.note(look(899, { w1: 9 }))
  history.note(look(1_800, { w1: 18 }))
  expect(history.of('web', 'w1')).toEqual([10])
})

it('forgets backends and pools that have left, and begins a new one anew', () => {
  const history = new RateHistory()
  history.note(look(0, { w1: 0, w2: 0 }))
  history.note(look(1_000, { w1: 1 }))
  history.note(look(2_000, { w1: 2, w2: 9 }))
  expect([history.of('web', 'w1'), history.of('web', 'w2')]).toEqual([[1, 1], []])
  history.note([])
  expect(history.of('web', 'w1')).toEqual([])
})

it('keeps no more rates than a sparkline shows', () => {
  const history = new RateHistory()
  for (let second = 0; second <= MAX_RATES + 5; second += 1)
    history.note(look(second * 1_000, { w1: (second * (second + 1)) / 2 }))
  const rates = history.of('web', 'w1')
  expect([rates.length, rates[0], rates.at(-1)]).toEqual([MAX_RATES, 6, MAX_RATES + 5])
})
