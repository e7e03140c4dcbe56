/** Something measured, and the most that it may be. */
export interface Measured {
  readonly what: string
  readonly value: number
  readonly most: number
  /** Of what the value is the median, the least and the greatest. */
  readonly spread?: readonly [number, number]
  readonly unit?: string
}

/** The median of `values`, which have to be some. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** A median and its spread, as a measurement. */
export function medianOf(what: string, values: readonly number[], most: number, unit = ''): Measured {
  return { what, value: median(values), most, spread: [Math.min(...values), Math.max(...values)], unit }
}

/** NaN means that nothing was measured, and counts as over. */
export function isOver({ value, most }: Measured): boolean {
  return !(value <= most)
}

/** One line for each, the values under each other. */
export function table(all: readonly Measured[]): string {
  const width = Math.max(...all.map(({ what }) => what.length))
  return all
    .map(measured => {
      const { what, value, most, spread, unit = '' } = measured
      const limit = `${figure(value)}  ≤ ${figure(most)} ${unit.padEnd(3)}`
      const range = spread === undefined ? '' : `  ${figure(spread[0]).trim()} to ${figure(spread[1]).trim()}`
      return `${isOver(measured) ? 'OVER' : 'ok  '}  ${what.padEnd(width)}  ${limit}${range}`.trimEnd()
    })
    .join('\n')
}

function figure(value: number): string {
  return (value >= 100 || value === 0 ? value.toFixed(0) : value.toFixed(2)).padStart(6)
}

/** @param sorted values, the least first */
export function distribution(sorted: readonly number[]): string {
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2)
  return `median ${at(0.5)}, 90 % ${at(0.9)}, 99 % ${at(0.99)}, most ${at(1)}`
}
