import { printable } from '../cli/printable.ts'
import type { BackendRow, PoolRow } from './admin-client.ts'
import { durationText } from './duration-text.ts'

const HEAD = ['backend', 'state', 'weight', 'sessions', 'in flight', 'tunnels', 'requests', '5xx', 'failures']
/** Columns of texts; the others are numbers, which end below each other. */
const TEXTS = 2

/** The pools of a gateway, one backend on each line. */
export function statusTable(
  pools: Readonly<Record<string, Pick<PoolRow, 'backends'>>>,
  nowMs: number,
): string {
  const rows = Object.entries(pools).flatMap(([name, { backends }]) =>
    backends.map(backend => cells(name, backend, nowMs)),
  )
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  const lines = all
    .map(row =>
      row
        .map((cell, column) =>
          column < TEXTS ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
  return printable(lines.join(''))
}

function cells(pool: string, backend: BackendRow, nowMs: number): string[] {
  const { id, weight, inFlight, tunnels, requests, responses, failures } = backend
  const numbers = [weight, sessionsText(backend), inFlight, tunnels, requests, responses['5xx'], failures]
  return [`${pool}/${id}`, stateText(backend, nowMs), ...numbers.map(String)]
}

/** Live sessions, as people read them: `~` for an estimate, `-` where they are not counted. */
export function sessionsText({ sessions, sessionsEstimated }: BackendRow): string {
  return sessions === undefined ? '-' : `${sessionsEstimated ? '~' : ''}${sessions}`
}

function stateText({ state, healthy, drain, selfDraining }: BackendRow, nowMs: number): string {
  if (state === 'maint') return 'maint'
  if (state === 'ready' && selfDraining) return healthy ? 'drains itself' : 'down, drains itself'
  const word = healthy ? (state === 'ready' ? 'up' : 'drain') : state === 'ready' ? 'down' : 'down, drain'
  if (drain === undefined) return word
  const leftMs = drain.deadlineAtMs + drain.spreadMs - nowMs
  return `${word}, ${durationText(Math.max(0, leftMs))} left`
}
