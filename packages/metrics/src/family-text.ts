import { HISTOGRAM_BOUNDS_MS, type HistogramFigures } from '@limpet/core'
import type { AnyFamily } from './family.ts'

/** Bounds that OpenTelemetry recommends for HTTP, in milliseconds; figures have finer ones, these among them. */
const BOUNDS_MS = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000]
/** The same in seconds. */
export const HTTP_BOUNDS_S: readonly number[] = BOUNDS_MS.map(bound => bound / 1000)
/** The last finer bucket that belongs to each. */
const LAST = BOUNDS_MS.map(bound => HISTOGRAM_BOUNDS_MS.indexOf(bound))

/** The format of the text: OpenMetrics writes the names of counters, the bounds and the end in another way. */
export type Format = 'prometheus' | 'openmetrics'

/** The lines of families, in pieces that each take a moment to make. */
export function* textOf(families: Iterable<AnyFamily>, format: Format): Generator<string> {
  for (const family of families) {
    const { name, help, type } = family
    const suffix = type === 'counter' ? '_total' : ''
    const title = format === 'openmetrics' ? name : `${name}${suffix}`
    let text = `# HELP ${title} ${help}\n# TYPE ${title} ${type}\n`
    if (family.type === 'histogram') {
      for (const [labels, figures] of family.histograms) {
        text += histogramText(name, labels, figures, format)
        if (text.length > PIECE) {
          yield text
          text = ''
        }
      }
    } else {
      for (const [labels, value] of family.samples) {
        text += `${name}${suffix}${labels} ${value}\n`
        if (text.length > PIECE) {
          yield text
          text = ''
        }
      }
    }
    yield text
  }
  if (format === 'openmetrics') yield '# EOF\n'
}

/** Characters of a piece. */
const PIECE = 16_384

function histogramText(
  name: string,
  labels: string,
  { buckets, count, sumMs }: HistogramFigures,
  format: Format,
): string {
  const open = `${name}_bucket${labels.slice(0, -1)},le="`
  let text = ''
  let sum = 0
  let at = 0
  for (const [index, last] of LAST.entries()) {
    for (; at <= last; at += 1) sum += buckets[at] ?? 0
    text += `${open}${(format === 'openmetrics' ? FLOATS : NUMBERS)[index]}"} ${sum}\n`
  }
  return `${text}${open}+Inf"} ${count}\n${name}_sum${labels} ${sumMs / 1000}\n${name}_count${labels} ${count}\n`
}

const NUMBERS = HTTP_BOUNDS_S.map(String)
/** OpenMetrics 1.0 takes the bounds as floating-point numbers. */
const FLOATS = NUMBERS.map(bound => (bound.includes('.') ? bound : `${bound}.0`))
