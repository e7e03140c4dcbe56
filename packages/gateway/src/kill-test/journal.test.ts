import { expect, it } from 'vitest'
import { Journal } from './journal.ts'

it('counts for the phase that goes on, and knows who was on its backend', () => {
  const journal = new Journal()
  journal.responded(0, 'a')
  journal.responded(1, 'b')
  journal.responded(2, 'a')
  const kill = journal.begin('kill', 'a')
  expect([...kill.users]).toEqual([0, 2])
  journal.errored(0, 'GET /', 'connection', 'ECONNRESET')
  journal.errored(0, 'GET /', 'connection', 'ECONNRESET')
  journal.responded(0, 'b')
  journal.responded(0, 'b')
  journal.lost(2, 'GET /', 3)
  journal.loggedOut(2, 'GET /', 'no user')
  expect(kill).toMatchObject({ errors: 2, lost: 3, errorTexts: new Map([['GET /: ECONNRESET', 2]]) })
  expect(kill).toMatchObject({
    failed: new Set([0]),
    moved: new Set([0]),
    losers: new Set([2]),
    loggedOut: new Set([2]),
  })
  expect(journal.phases[0]).toMatchObject({ errors: 0, endMs: kill.startMs })
  expect(journal.events.map(({ what }) => what)).toEqual([
    'moved',
    'moved',
    'moved',
    'error',
    'error',
    'moved',
    'lost',
    'logged-out',
  ])
})

it('gives what was seen since an action that was not done to the phase before', () => {
  const journal = new Journal()
  journal.stepped('GET /', 5)
  journal.errored(0, 'GET /', 'status', '503')
  journal.begin('kill', 'a')
  journal.stepped('GET /slow', 9)
  journal.errored(1, 'GET /', 'status', '503')
  journal.lost(1, 'GET /', 2)
  journal.abandon()
  expect(journal.phases).toHaveLength(1)
  expect(journal.phase).toMatchObject({
    action: undefined,
    steps: 2,
    errors: 2,
    lost: 2,
    slowestMs: 9,
    slowestStep: 'GET /slow',
    errorTexts: new Map([['GET /: 503', 2]]),
  })
  expect([...journal.phase.failed]).toEqual([0, 1])
  expect(journal.phase.lastTroubleMs).toBeGreaterThanOrEqual(journal.phase.firstTroubleMs ?? Infinity)
})

it('remembers no more than it may, and goes on counting', () => {
  const journal = new Journal()
  for (let count = 0; count < 60_000; count += 1) journal.errored(0, 'GET /', 'status', `${count}`)
  expect([journal.events.length, journal.phase.errorTexts.size, journal.phase.errors]).toEqual([
    50_000, 50, 60_000,
  ])
  expect(journal.seconds.reduce((sum, { errors }) => sum + errors, 0)).toBe(60_000)
})
