import { expect, it } from 'vitest'
import { type DrainingBackend, needsBackend, SEALED_REPORTS } from './drain-report.ts'

const BACKEND: DrainingBackend = { id: 'w1', isDraining: true, inFlight: 0, tunnels: 0, sessions: 0 }
const REPORT = { process: 'x', rev: 1, backends: [BACKEND, { ...BACKEND, sessions: undefined }] }

it('takes a whole report', () => {
  expect(SEALED_REPORTS.parse(REPORT)).toEqual(REPORT)
  expect(SEALED_REPORTS.parse({ ...REPORT, backends: [] })).toBeDefined()
})

it.each([
  null,
  'report',
  { ...REPORT, process: 1 },
  { ...REPORT, rev: -1 },
  { ...REPORT, rev: 0.5 },
  { ...REPORT, backends: {} },
  { ...REPORT, backends: [null] },
])('takes no %j', value => {
  expect(SEALED_REPORTS.parse(value)).toBeUndefined()
})

it.each([{ id: 1 }, { isDraining: 'yes' }, { inFlight: -1 }, { tunnels: null }, { sessions: 1e300 }])(
  'takes no report with a backend of %j',
  wrong => {
    expect(SEALED_REPORTS.parse({ ...REPORT, backends: [{ ...BACKEND, ...wrong }] })).toBeUndefined()
  },
)

const { sessions: _, ...UNCOUNTED } = BACKEND

it.each<[DrainingBackend, boolean]>([
  [BACKEND, false],
  [{ ...BACKEND, inFlight: 1 }, true],
  [{ ...BACKEND, sessions: 1 }, true],
  // There may be some.
  [UNCOUNTED, true],
  [{ ...BACKEND, isDraining: false, inFlight: 1, sessions: 1 }, false],
])('a process with %j needs the backend: %s', (backend, needs) => {
  expect(needsBackend(backend)).toBe(needs)
})
