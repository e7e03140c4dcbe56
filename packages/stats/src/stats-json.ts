import { type HistogramFigures, quantileMs } from '@limpet/core'

/** Figures as JSON. A reader has no use for the buckets of a histogram, so quantiles take their place. */
export function statsJson(stats: object): string {
  return JSON.stringify(stats, (_key, value: unknown) => (isHistogram(value) ? summaryOf(value) : value))
}

function isHistogram(value: unknown): value is HistogramFigures {
  return typeof value === 'object' && value !== null && 'buckets' in value
}

/** In milliseconds, with two decimals; no quantiles without a duration. */
function summaryOf(figures: HistogramFigures): object {
  const { count, sumMs } = figures
  if (count === 0) return { count }
  return {
    count,
    meanMs: rounded(sumMs / count),
    p50Ms: rounded(quantileMs(figures, 0.5)),
    p90Ms: rounded(quantileMs(figures, 0.9)),
    p99Ms: rounded(quantileMs(figures, 0.99)),
  }
}

function rounded(ms = 0): number {
  return Math.round(ms * 100) / 100
}
