import { expect, it } from 'vitest'
import { parseOption } from '../options/option-kind.ts'
import { RETRY_BUDGET, RetryBudget } from './retry-budget.ts'

function budgetOf(options: object) {
  const clock = { nowMs: 0 }
  return {
    clock,
    budget: new RetryBudget(parseOption(RETRY_BUDGET, 'retryBudget', options), () => clock.nowMs),
  }
}

function taken(budget: RetryBudget): number {
  let count = 0
  while (budget.take()) count += 1
  return count
}

it('allows a share of the requests, or a few in each second, whichever is more', () => {
  const { budget } = budgetOf({ ratio: 0.2, minPerSecond: 1 })
  for (let count = 0; count < 40; count += 1) budget.count()
  expect([budget.left, taken(budget), budget.left]).toEqual([10, 10, 0])
  for (let count = 0; count < 60; count += 1) budget.count()
  expect(taken(budget)).toBe(10)
})

it('allows none where the options say so', () => {
  const { budget } = budgetOf({ ratio: 0, minPerSecond: 0 })
  for (let count = 0; count < 1_000; count += 1) budget.count()
  expect([budget.left, budget.take()]).toEqual([0, false])
})

it('forgets requests and retries over some tens of seconds', () => {
  const { clock, budget } = budgetOf({ ratio: 0.5, minPerSecond: 0 })
  for (let count = 0; count < 100; count += 1) budget.count()
  expect(taken(budget)).toBe(50)
  clock.nowMs = 100_000
  expect(budget.left).toBe(0)
  for (let count = 0; count < 64; count += 1) budget.count()
  expect(budget.left).toBeLessThanOrEqual(32)
})

it('gives no retries back when the clock is set back', () => {
  const { clock, budget } = budgetOf({ ratio: 0, minPerSecond: 1 })
  clock.nowMs = 1_000_000
  expect(taken(budget)).toBe(10)
  clock.nowMs = 0
  expect(budget.left).toBe(0)
  clock.nowMs = 60_000
  expect(budget.left).toBe(9)
})
