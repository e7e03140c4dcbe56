import { expect, it } from 'vitest'
import { WarmUp, type WarmUpContext } from './warm-up.ts'

function contextOf(facts: Partial<WarmUpContext> = {}): WarmUpContext & { requests: number; nowMs: number } {
  const context = { nowMs: 0, slowStartMs: 10_000, requests: 0, ...facts, now: () => context.nowMs }
  return context
}

it('is for a backend that joins or returns while others serve', () => {
  const context = contextOf()
  const first = new WarmUp(context)
  first.begin()
  expect(first.share(0)).toBe(1)
  context.requests = 1
  const late = new WarmUp(context)
  late.begin()
  first.cool()
  first.begin()
  for (const warmUp of [late, first]) {
    expect(warmUp.share(0)).toBeLessThan(1)
    expect(warmUp.nextStepMs(0)).toBeLessThan(10_000)
    expect([warmUp.share(10_000), warmUp.nextStepMs(10_000)]).toEqual([1, Infinity])
  }
})

it('begins once, and not anew with each sign of life', () => {
  const context = contextOf({ requests: 1 })
  const warmUp = new WarmUp(context)
  warmUp.begin()
  context.nowMs = 9_000
  warmUp.begin()
  expect(warmUp.share(10_000)).toBe(1)
})

it('goes on in a pool that takes over, if that has a slow start', () => {
  const context = contextOf({ requests: 1 })
  const before = new WarmUp(context)
  before.begin()
  expect(new WarmUp(context, before).share(5_000)).toBe(before.share(5_000))
  expect(new WarmUp(contextOf({ slowStartMs: 0 }), before).share(5_000)).toBe(1)
})
