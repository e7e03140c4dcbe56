import { type HistogramFigures, quantileMs } from '@limpet/core'

/**
 * Figures as JSON. A reader has no use for the buckets of a histogram, so quantiles take their place, and numbers have
 * two decimals at most.
 */
export function statsJson(stats: object): string {
  return [...statsJsonPieces(stats)].join('')
}

/** The same in pieces, each made when it is asked for, so that a server can do other work in between. */
export function* statsJsonPieces(stats: object): Generator<string> {
  yield* piecesOf(stats, 0)
}

/** Pools are lists of backends in lists of pools: what is below a backend is one piece. */
const DEPTH = 4

function* piecesOf(value: unknown, depth: number): Generator<string> {
  if (depth === DEPTH || typeof value !== 'object' || value === null || isHistogram(value)) {
    yield JSON.stringify(value, (_key, part: unknown) => written(part)) ?? 'null'
    return
  }
  const isList = Array.isArray(value)
  let comma = isList ? '[' : '{'
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined && !isList) continue
    yield isList ? comma : `${comma}${JSON.stringify(key)}:`
    comma = ','
    yield* piecesOf(part, depth + 1)
  }
  yield comma === ',' ? (isList ? ']' : '}') : isList ? '[]' : '{}'
}

function written(value: unknown): unknown {
  if (typeof value === 'number') return rounded(value)
  return isHistogram(value) ? summaryOf(value) : value
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
