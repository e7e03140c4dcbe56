import type { BackendFigures } from '@limpet/core'
import { expect, it } from 'vitest'
import { shownState, stateCell } from './backend-state.ts'
import { backendOf } from './figures.fixture.ts'

it.each<[Partial<BackendFigures>, string]>([
  [{}, 'up'],
  [{ state: 'maint', healthy: false }, 'maint'],
  [{ state: 'drain', healthy: false }, 'down'],
  [{ state: 'drain' }, 'drain'],
  [{ selfDraining: true }, 'drain'],
])('a backend with %j is shown as %s', (facts, state) => {
  expect(shownState(backendOf(facts))).toBe(state)
})

const NOW_MS = Date.UTC(2030, 0, 1, 14, 32, 10)

function textOf(facts: Partial<BackendFigures>): string {
  const { text } = stateCell(backendOf({ changedAtMs: NOW_MS - 5_000, ...facts }), NOW_MS)
  return text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const drain = {
  startedAtMs: NOW_MS - 60_000,
  deadlineAtMs: NOW_MS + 540_000,
  spreadMs: 0,
  startedSessions: 10,
}
const last = { healthy: false, problem: 'status 500', atMs: NOW_MS, durationMs: 12 }

it.each<[string, Partial<BackendFigures>, string]>([
  ['no more than its time', {}, '● up for 5 s'],
  ['its slow start', { effectiveWeight: 0.5, backup: true }, '● up backup slow start, for 5 s'],
  [
    'its last check',
    { healthy: false, checks: { passed: 0, failed: 1, last } },
    '▼ down for 5 s check failed: status 500, 12 ms',
  ],
  ['that it may be stopped', { state: 'maint' }, '■ maint for 5 s safe to stop'],
  ['the requests that are left', { state: 'maint', inFlight: 1 }, '■ maint for 5 s 1 request left'],
  [
    'a drain by its own word',
    { selfDraining: true, sessions: 2, sessionsEstimated: true, inFlight: 3, tunnels: 1 },
    '◐ drain for 5 s about 2 sessions, 2 requests, 1 WebSocket left the backend says so itself',
  ],
])('shows %s', (_, facts, text) => {
  expect(textOf(facts)).toBe(text)
})

it('shows when a drain ends', () => {
  expect(textOf({ state: 'drain', sessions: 10, drain })).toContain('ends in 9 min at most, at 14:41:10 UTC')
  expect(textOf({ state: 'drain', sessions: 10, drain: { ...drain, spreadMs: 60_000 } })).toContain(
    'ends in 10 min at most, at 14:42:10 UTC in the last 1 min of it sessions move',
  )
})
