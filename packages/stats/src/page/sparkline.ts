import { html, type Html } from './html.ts'
import { MAX_RATES } from './rate-history.ts'
import { rateText } from './written.ts'

const WIDTH = 60
const HEIGHT = 16

/** The course of a rate and its last value. Attributes alone: the page allows no inline style. */
export function sparkline(rates: readonly number[]): Html {
  const last = rates.at(-1)
  if (last === undefined) return html`<span class="num">–</span>`
  const max = Math.max(1, ...rates)
  const from = MAX_RATES - rates.length
  const points = rates.map(
    (rate, index) =>
      `${Math.round(((from + index) * WIDTH) / (MAX_RATES - 1))},${Math.round(HEIGHT - 1 - (rate / max) * (HEIGHT - 2))}`,
  )
  return html`<span class="num"
    ><svg
      class="spark"
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      width="${WIDTH}"
      height="${HEIGHT}"
      aria-hidden="true"
    >
      <polyline points="${points.join(' ')}" />
    </svg>
    ${rateText(last)}/s</span
  >`
}

/** A share of the largest of its kind. */
export function bar(value: number, max: number): Html {
  const width = max === 0 ? 0 : Math.round((value / max) * WIDTH)
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 4" width="${WIDTH}" height="4" aria-hidden="true">
    <rect width="${WIDTH}" height="4" class="rail" />
    <rect width="${width}" height="4" />
  </svg>`
}
