import type { BackendFigures } from '@limpet/core'
import { expect, it } from 'vitest'
import { lastDrainText } from './last-drain.ts'

const DRAIN: NonNullable<BackendFigures['lastDrain']> = {
  outcome: 'deadline',
  startedAtMs: Date.UTC(2030, 0, 1, 9, 0, 0),
  endedAtMs: Date.UTC(2030, 0, 1, 9, 10, 0),
  sessions: 1,
  sessionsEstimated: false,
  inFlight: 0,
}

it.each<[Partial<typeof DRAIN>, string]>([
  [{ outcome: 'cancelled' }, 'cancelled after 10 min, at 09:10:00 UTC'],
  [{ outcome: 'drained' }, 'drained after 10 min, at 09:10:00 UTC: no session was left'],
  [{}, 'drained after 10 min, at 09:10:00 UTC: the deadline moved 1 session'],
  [
    { sessions: 5, sessionsEstimated: true, inFlight: 2 },
    'drained after 10 min, at 09:10:00 UTC: the deadline moved about 5 sessions, and ended 2 requests',
  ],
  [
    { sessions: undefined },
    'drained after 10 min, at 09:10:00 UTC: the deadline moved sessions that are not counted',
  ],
])('writes the drain %j as: %s', (facts, text) => {
  expect(lastDrainText({ ...DRAIN, ...facts })).toBe(text)
})
