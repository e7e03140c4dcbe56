import { expect, test } from 'vitest'
import { Journal } from './journal.ts'
import { htmlOf } from './report-html.ts'
import { junitOf } from './report-junit.ts'
import { reportOf } from './report.ts'
import { tableOf } from './report-table.ts'
import { parseScenario } from './scenario-file.ts'
import type { Budget } from './settings.ts'

const EVIL = '<script>alert("1")</script>\u0000'
const scenario = {
  ...parseScenario('backend: { header: A }\nsessions: 2\nrepeat: [{ get: / }]', ''),
  name: EVIL,
}
const NO_BUDGET: Budget = { lost: undefined, errors: undefined, loggedOut: undefined, recoveryMs: undefined }

function journalOf(isWell: boolean): Journal {
  const journal = new Journal()
  journal.responded(0, EVIL)
  journal.responded(1, 'b')
  const phase = journal.begin('kill', EVIL)
  journal.stepped('GET /', 12)
  journal.errored(0, 'GET /', 'connection', EVIL)
  journal.lost(0, 'GET /', 3)
  journal.lost(1, 'GET /', 1)
  journal.loggedOut(1, 'GET /', EVIL)
  journal.responded(0, 'b')
  phase.isWell = isWell
  return journal
}

function reported(isWell: boolean, budget: Budget = NO_BUDGET) {
  const outcome = {
    ending: 'done',
    problem: EVIL,
    journal: journalOf(isWell),
    durationMs: 5_000,
    unread: 1,
  } as const
  return reportOf(outcome, scenario, budget, new URL('http://127.0.0.1:1/'), new Date(0))
}

test('counts users once, and those of other backends by themselves', () => {
  expect(reported(true).phases[1]).toMatchObject({
    usersOnBackend: 1,
    usersAffected: 2,
    errors: 1,
    usersMoved: 1,
    lostWrites: 4,
    usersWithLoss: 2,
    usersWithLossElsewhere: 1,
    usersLoggedOut: 1,
    slowestMs: 12,
  })
})

test('the exit code is 1 when a budget is exceeded, and for users that do not recover', () => {
  expect(reported(true).exitCode).toBe(0)
  expect(reported(true, { ...NO_BUDGET, lost: 4 }).exitCode).toBe(0)
  expect(reported(true, { ...NO_BUDGET, lost: 3 }).exitCode).toBe(1)
  expect(reported(false).exitCode).toBe(1)
  expect(reported(false).phases[1]?.recoveryMs).toBeNull()
})

test.each([
  ['HTML', htmlOf],
  ['JUnit', junitOf],
])('%s has no markup from outside, and nothing that is loaded', (_format, write) => {
  const text = write(reported(false))
  expect(text).not.toMatch(/<script|<link|<img|src=|href=|url\(/)
  expect(text).not.toContain('\u0000')
  expect(text).toContain('&lt;script&gt;')
})

test('the table has a row for each action', () => {
  expect(tableOf(reported(false))).toContain('not at all')
})
