import { expect, it } from 'vitest'
import type { BackendRow } from './admin-client.ts'
import { DrainProgress } from './drain-progress.ts'

function row(sessions: number | undefined, more: Partial<BackendRow> = {}): BackendRow {
  return { sessions, sessionsEstimated: false, inFlight: 0, tunnels: 0, ...more } as BackendRow
}

it('shows the share of the sessions that have ended, and foretells the end by their pace', () => {
  const progress = new DrainProgress(0, 600_000)
  expect(progress.line(row(40, { tunnels: 2, inFlight: 3 }), 0)).toBe(
    '[....................]   0%  40 sessions, 2 tunnels, 3 requests in flight; ends in 10m 0s at the latest',
  )
  expect(progress.line(row(30), 10_000)).toBe(
    '[#####...............]  25%  30 sessions, 0 tunnels, 0 requests in flight; ends in about 30s',
  )
  expect(progress.line(row(0), 40_000)).toContain('[####################] 100%')
})

it('shows the share of the time where sessions are not counted', () => {
  const progress = new DrainProgress(1_000, 5_000)
  expect(progress.line(row(undefined), 3_000)).toBe(
    '[##########..........]  50%  sessions are not counted, 0 tunnels, 0 requests in flight; ends in 2s at the latest',
  )
  expect(progress.line(row(undefined), 9_000)).toContain('100%')
})

it('never foretells an end after the deadline, nor from sessions that have grown', () => {
  const progress = new DrainProgress(0, 20_000)
  progress.line(row(10), 0)
  expect(progress.line(row(9), 10_000)).toContain('ends in 10s at the latest')
  expect(progress.line(row(12, { sessionsEstimated: true }), 10_000)).toMatch(
    / {3}0% {2}~12 sessions, .* at the latest/,
  )
})
