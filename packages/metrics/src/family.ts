import type { HistogramFigures } from '@limpet/core'

/** A sample: its labels as they are written, and its value. */
export type Sample = readonly [labels: string, value: number]

/** All samples of one name. */
export interface Family {
  /** Of a counter without its `_total`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: Iterable<Sample>
}

export interface HistogramFamily {
  readonly name: string
  readonly type: 'histogram'
  readonly help: string
  readonly histograms: Iterable<readonly [labels: string, figures: HistogramFigures]>
}

export type AnyFamily = Family | HistogramFamily

export function counter(name: string, help: string, samples: Iterable<Sample>): Family {
  return { name, type: 'counter', help, samples }
}

export function gauge(name: string, help: string, samples: Iterable<Sample>): Family {
  return { name, type: 'gauge', help, samples }
}

export function histogram(
  name: string,
  help: string,
  histograms: HistogramFamily['histograms'],
): HistogramFamily {
  return { name, type: 'histogram', help, histograms }
}

/** Labels as they are written, of names and values in turn. */
export function labelsOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${parts.join(',')}}`
}

/** With one label more, whose value is a word of ours: most samples have one. */
export function withLabel(labels: string, name: string, word: string): string {
  return `${labels.slice(0, -1)},${name}="${word}"}`
}

function escaped(value: string): string {
  // Ids have none of these.
  if (!/["\\\n]/.test(value)) return value
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
}
