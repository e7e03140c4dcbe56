import { expect, it } from 'vitest'
import type { BackendRow } from './admin-client.ts'
import { drainProgress } from './drain-progress.ts'

const DRAIN = { startedAtMs: 0, deadlineAtMs: 540_000, spreadMs: 60_000, startedSessions: 40 }

function row(sessions: number | undefined, more: Partial<BackendRow> = {}): BackendRow {
  return { sessions, sessionsEstimated: false, inFlight: 0, tunnels: 0, drain: DRAIN, ...more } as BackendRow
}

it('shows the share of the sessions that have ended, and foretells the end by their pace', () => {
  expect(drainProgress(row(40, { tunnels: 2, inFlight: 3 }), 0)).toBe(
    '[....................]   0%  40 sessions, 2 tunnels, 1 request in flight; ends in 10m 0s at the latest',
  )
  expect(drainProgress(row(30, { sessionsEstimated: true }), 10_000)).toBe(
    '[#####...............]  25%  ~30 sessions, 0 tunnels, 0 requests in flight; ends in about 30s',
  )
  expect(drainProgress(row(0), 40_000)).toContain('[####################] 100%')
})

it('shows the share of the time where sessions are not counted', () => {
  expect(drainProgress(row(undefined), 300_000)).toBe(
    '[##########..........]  50%  sessions are not counted, 0 tunnels, 0 requests in flight; ends in 5m 0s at the latest',
  )
  expect(drainProgress(row(undefined), 900_000)).toContain('100%')
})

it('shows the requests of all gateways that share the drain', () => {
  const fleet = { processes: 2, inFlight: 3, tunnels: 1, sessions: 10 }
  expect(drainProgress(row(0, { fleet }), 270_000)).toBe(
    '[###############.....]  75%  all gateways: ~10 sessions, 1 tunnel, 2 requests in flight; ends in about 1m 30s',
  )
  const uncounted = drainProgress(row(undefined, { fleet: { ...fleet, sessions: undefined } }), 300_000)
  expect(uncounted).toContain(' 50%  all gateways: sessions are not counted, 1 tunnel, 2 requests in flight;')
})
