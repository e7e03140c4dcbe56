import { escaped } from './escape.ts'
import type { Report } from './report.ts'

/** Of the drawings, in their own units. */
export const WIDTH = 1000
const HEIGHT = 160
const TOP = 20
/** Bars that a timeline has at most: longer tests have several seconds in one. */
const MAX_BARS = 500

interface Bar {
  readonly steps: number
  readonly trouble: number
}

/** Steps by second, with a line for each action. */
export function timelineOf({ seconds, phases, durationMs }: Report): string {
  const perBar = Math.max(1, Math.ceil(seconds.length / MAX_BARS))
  const bars: Bar[] = []
  for (let start = 0; start < seconds.length; start += perBar) {
    const some = seconds.slice(start, start + perBar)
    bars.push({
      steps: some.reduce((sum, { steps }) => sum + steps, 0),
      trouble: some.reduce((sum, { errors, lost }) => sum + errors + lost, 0),
    })
  }
  const most = Math.max(1, ...bars.map(({ steps, trouble }) => Math.max(steps, trouble)))
  const x = scaleOf(durationMs)
  const width = x(perBar * 1000)
  const drawn = bars.flatMap(({ steps, trouble }, index) => [
    rect(index * width, width, (steps / most) * (HEIGHT - TOP), '#74c0fc'),
    rect(index * width, width, (Math.min(trouble, most) / most) * (HEIGHT - TOP), '#c92a2a'),
  ])
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="steps, errors and lost writes by second">
${drawn.join('\n')}
${actionLines(phases, x, HEIGHT)}
</svg>`
}

/** From milliseconds to the drawing's units. */
export function scaleOf(durationMs: number): (ms: number) => number {
  return ms => Math.round((ms / Math.max(1, durationMs)) * WIDTH * 100) / 100
}

export function actionLines(phases: Report['phases'], x: (ms: number) => number, height: number): string {
  return phases
    .filter(({ action }) => action !== null)
    .map(({ name, startMs }, index) => {
      const at = x(startMs)
      const label = `<text x="${at + 3}" y="${10 + (index % 2) * 9}">${escaped(name)}</text>`
      return `<line x1="${at}" x2="${at}" y1="0" y2="${height}" stroke="#212529" stroke-dasharray="3 2"/>${label}`
    })
    .join('\n')
}

function rect(x: number, width: number, height: number, fill: string): string {
  const h = Math.round(height * 100) / 100
  return `<rect x="${Math.round(x * 100) / 100}" y="${HEIGHT - h}" width="${width}" height="${h}" fill="${fill}"/>`
}
