import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram, HISTOGRAM_BOUNDS_MS, quantileMs } from './histogram.ts'
import { TICKS_PER_MS } from './ticks.ts'

it('has the bounds that OpenTelemetry recommends, in order', () => {
  const recommended = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000]
  expect(HISTOGRAM_BOUNDS_MS).toEqual(expect.arrayContaining(recommended))
  expect(HISTOGRAM_BOUNDS_MS).toEqual(HISTOGRAM_BOUNDS_MS.toSorted((a, b) => a - b))
})

it('has no quantile before the first duration', () => {
  const { figures } = new Histogram()
  expect([figures.count, figures.sumMs, quantileMs(figures, 0.5)]).toEqual([0, 0, undefined])
})

it('counts a duration at a bound in the bucket below it', () => {
  const histogram = new Histogram()
  histogram.record(5 * TICKS_PER_MS)
  histogram.record(5 * TICKS_PER_MS + 1)
  histogram.record(3_600_000 * TICKS_PER_MS)
  const { buckets, count, sumMs } = histogram.figures
  const at = HISTOGRAM_BOUNDS_MS.indexOf(5)
  expect([buckets[at], buckets[at + 1], buckets.at(-1), count]).toEqual([1, 1, 1, 3])
  expect(sumMs).toBeCloseTo(3_600_010.01, 2)
})

it('estimates a quantile within the bucket that has it', () => {
  const durations = fc.array(fc.integer({ min: 10, max: 12_000_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99), (ticks, share) => {
      const histogram = new Histogram()
      for (const one of ticks) histogram.record(one)
      const sorted = ticks.toSorted((a, b) => a - b)
      const exactMs = (sorted[Math.ceil(share * ticks.length) - 1] ?? 0) / TICKS_PER_MS
      const above = HISTOGRAM_BOUNDS_MS.findIndex(bound => exactMs <= bound)
      const estimateMs = quantileMs(histogram.figures, share) ?? 0
      expect(estimateMs).toBeGreaterThanOrEqual(HISTOGRAM_BOUNDS_MS[above - 1] ?? 0)
      expect(estimateMs).toBeLessThanOrEqual(HISTOGRAM_BOUNDS_MS[above] ?? Infinity)
    }),
  )
})
