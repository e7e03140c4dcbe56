import { TICKS_PER_MS } from './ticks.ts'

/** Durations in numbers. */
export interface HistogramFigures {
  readonly count: number
  readonly sumMs: number
  /** The number of durations up to each of `HISTOGRAM_BOUNDS_MS` and above the one before; the last: above all. */
  readonly buckets: readonly number[]
}

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5]
const DECADES_MS = [0.1, 1, 10, 100, 1_000]

/**
 * Upper bounds of the buckets, in milliseconds. Steps of a third at most, so that a quantile is as exact; the bounds
 * that OpenTelemetry recommends for HTTP are among them.
 */
export const HISTOGRAM_BOUNDS_MS: readonly number[] = [
  ...DECADES_MS.flatMap(decade => STEPS.map(step => Math.round(step * decade * 100) / 100)),
  10_000,
  15_000,
  20_000,
  30_000,
  60_000,
  120_000,
]

const BOUNDS = Int32Array.from(HISTOGRAM_BOUNDS_MS, ms => ms * TICKS_PER_MS)
const COUNT = BOUNDS.length + 1
const SUM = COUNT

/** Counts durations by their size. Its memory is taken with the first, because most backends of a large pool have few requests. */
export class Histogram {
  #numbers: Float64Array | undefined

  record(ticks: number): void {
    const numbers = (this.#numbers ??= new Float64Array(COUNT + 1))
    let low = 0
    let high = BOUNDS.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (ticks <= (BOUNDS[middle] as number)) high = middle
      else low = middle + 1
    }
    numbers[low] = (numbers[low] as number) + 1
    numbers[SUM] = (numbers[SUM] as number) + ticks
  }

  get figures(): HistogramFigures {
    const numbers = this.#numbers
    if (numbers === undefined) return NO_DURATIONS
    // By hand: a scrape copies thousands, and an iterator takes ten times as long.
    const buckets: number[] = []
    let count = 0
    for (let index = 0; index < COUNT; index += 1) {
      const within = numbers[index] as number
      buckets.push(within)
      count += within
    }
    return { count, sumMs: (numbers[SUM] as number) / TICKS_PER_MS, buckets }
  }
}

const NO_DURATIONS: HistogramFigures = {
  count: 0,
  sumMs: 0,
  buckets: Array.from({ length: COUNT }, () => 0),
}

/**
 * The duration that a share of all does not exceed, estimated within its bucket.
 * @param share 0.99: the 99th percentile
 * @returns milliseconds; undefined without any duration
 */
export function quantileMs({ count, buckets }: HistogramFigures, share: number): number | undefined {
  if (count === 0) return undefined
  const wanted = share * count
  let below = 0
  for (const [index, within] of buckets.entries()) {
    if (within > 0 && below + within >= wanted) {
      const from = HISTOGRAM_BOUNDS_MS[index - 1] ?? 0
      // Of those above all bounds nothing more is known.
      const to = HISTOGRAM_BOUNDS_MS[index] ?? from
      return from + (to - from) * Math.min(1, Math.max(0, (wanted - below) / within))
    }
    below += within
  }
  return undefined
}
