import { expect, it } from 'vitest'
import type { BackendRow } from './admin-client.ts'
import { sessionsText, statusTable } from './status-table.ts'

const ROW = {
  id: 'w1',
  state: 'ready',
  healthy: true,
  selfDraining: false,
  weight: 1,
  inFlight: 2,
  tunnels: 0,
  requests: 1234,
  responses: { '5xx': 3 },
  failures: 4,
  sessionsEstimated: false,
} as unknown as BackendRow

it('aligns texts at the left and numbers at the right', () => {
  const backends = [ROW, { ...ROW, id: 'long-name', sessions: 12, sessionsEstimated: true, weight: 100 }]
  expect(statusTable({ web: { backends } }, 0)).toBe(`\
backend        state  weight  sessions  in flight  tunnels  requests  5xx  failures
web/w1         up          1         -          2        0      1234    3         4
web/long-name  up        100       ~12          2        0      1234    3         4
`)
})

it.each([
  [{}, 'up'],
  [{ healthy: false }, 'down'],
  [{ state: 'maint', healthy: false }, 'maint'],
  [{ state: 'drain' }, 'drain'],
  [{ state: 'drain', healthy: false }, 'down, drain'],
  [{ selfDraining: true }, 'drains itself'],
  [{ selfDraining: true, healthy: false }, 'down, drains itself'],
  [{ state: 'drain', drain: { deadlineAtMs: 60_000, spreadMs: 5_000 } }, 'drain, 55s left'],
  [{ state: 'drain', drain: { deadlineAtMs: 0, spreadMs: 0 } }, 'drain, 0s left'],
])('a backend with %j is: %s', (facts, state) => {
  const row = { ...ROW, ...facts } as BackendRow
  const [, line = ''] = statusTable({ web: { backends: [row] } }, 10_000).split('\n')
  expect(line.split(/ {2,}/)[1]).toBe(state)
})

it('writes sessions as people read them', () => {
  expect(sessionsText({ ...ROW, sessions: 7 })).toBe('7')
})
