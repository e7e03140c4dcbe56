import { escaped } from './escape.ts'
import type { JournalEvent } from './journal.ts'
import type { Report } from './report.ts'
import { actionLines, scaleOf, WIDTH } from './report-timeline.ts'

const LANE = 7
const TOP = 22
/** Sessions that are drawn. */
const MAX_LANES = 100
const COLOURS = [
  '#4dabf7',
  '#ffd43b',
  '#69db7c',
  '#da77f2',
  '#ffa94d',
  '#3bc9db',
  '#a9e34b',
  '#f783ac',
] as const
const UNKNOWN = '#ced4da'

/** A lane for each session: its colour is the backend that answers, a mark is trouble. */
export function lanesOf({ sessions, events, phases, durationMs }: Report): string {
  const count = Math.min(sessions, MAX_LANES)
  const x = scaleOf(durationMs)
  const lanes = Map.groupBy(events, ({ session }) => session)
  const names = [...new Set(events.flatMap(event => (event.what === 'moved' ? [event.to] : [])))].toSorted()
  const colourOf = (name: string): string => COLOURS[names.indexOf(name) % COLOURS.length] ?? UNKNOWN
  const drawn = Array.from({ length: count }, (_, index) =>
    laneOf(lanes.get(index) ?? [], TOP + index * LANE, durationMs, x, colourOf),
  )
  const height = TOP + count * LANE + 4
  const legend = names.map(
    name =>
      `<span style="border-left:1em solid ${colourOf(name)};padding:0 1em 0 .4em">${escaped(name)}</span>`,
  )
  return `<h2>Users</h2>
<p>A line for each of ${count === sessions ? 'the' : `the first ${count} of`} ${sessions} users, in the colour of the backend that answered. Red: an error or a logout. Black: a lost write.</p>
<p>${legend.length === 0 ? 'It is not known which backend answered.' : legend.join('\n')}</p>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="backends of each user">
${drawn.flat().join('\n')}
${actionLines(phases, x, height)}
</svg>`
}

function laneOf(
  events: readonly JournalEvent[],
  y: number,
  endMs: number,
  x: (ms: number) => number,
  colourOf: (name: string) => string,
): readonly string[] {
  const moves = events.filter(event => event.what === 'moved')
  const spans = moves.map(({ atMs, to }, index) => {
    const untilMs = moves[index + 1]?.atMs ?? endMs
    return mark(x(atMs), y, Math.max(0, x(untilMs) - x(atMs)), colourOf(to))
  })
  const troubles = events
    .filter(event => event.what !== 'moved')
    .map(({ atMs, what }) => mark(x(atMs), y, 2, what === 'lost' ? '#000' : '#c92a2a'))
  return [mark(0, y, WIDTH, moves.length === 0 ? UNKNOWN : '#e9ecef'), ...spans, ...troubles]
}

function mark(x: number, y: number, width: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${Math.round(width * 100) / 100}" height="${LANE - 1}" fill="${fill}"/>`
}
