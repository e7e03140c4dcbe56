import type { BackendFigures } from '@limpet/core'
import { expect, it } from 'vitest'
import { backendOf, poolOf } from './page/figures.fixture.ts'
import { statsCsv } from './stats-csv.ts'

/** The row of `svname`, by the names of the head. */
function rowOf(backends: Readonly<Record<string, Partial<BackendFigures>>>, svname: string) {
  const [head = '', ...lines] = statsCsv([poolOf(backends)])
    .trimEnd()
    .split('\n')
  const names = head.slice(2).split(',')
  const found = lines.map(line => Object.fromEntries(line.split(',').map((field, at) => [names[at], field])))
  return found.find(row => row['svname'] === svname) ?? {}
}

const { checks } = backendOf()
const checked = (last: Partial<NonNullable<BackendFigures['checks']['last']>>): Partial<BackendFigures> => ({
  checks: { ...checks, last: { healthy: false, problem: undefined, atMs: 0, durationMs: 3, ...last } },
})

it.each<[Partial<BackendFigures>, string]>([
  [{}, 'no check'],
  [checked({ healthy: true }), 'UP'],
  [{ state: 'maint', healthy: false }, 'MAINT'],
  [{ state: 'drain', healthy: false }, 'DOWN'],
  [{ state: 'drain', selfDraining: true }, 'DRAIN'],
  [{ selfDraining: true }, 'NOLB'],
])('a server with %j is in HAProxy’s words %s', (facts, status) => {
  expect(rowOf({ w1: facts }, 'w1')).toMatchObject({ status })
})

it.each([
  [{ healthy: true }, 'L7OK', ''],
  [{ problem: 'status 503' }, 'L7STS', '503'],
  [{ problem: 'no response within 2000 ms' }, 'L7TOUT', ''],
  [{ problem: 'connect ECONNREFUSED' }, 'L4CON', ''],
  [{ problem: 'Parse Error' }, 'L7RSP', ''],
])('a check that ended with %j is %s', (last, status, code) => {
  expect(rowOf({ w1: checked(last) }, 'w1')).toMatchObject({ check_status: status, check_code: code })
})

it('sums the servers that serve up, primaries and backups apart', () => {
  const backends = {
    w1: { weight: 3 },
    w2: { state: 'maint' },
    w3: { backup: true },
    w4: { healthy: false },
  } as const
  expect(rowOf(backends, 'BACKEND')).toMatchObject({ status: 'UP', act: '1', bck: '1', uweight: '4' })
  expect(rowOf({ w1: { healthy: false } }, 'BACKEND')).toMatchObject({ status: 'DOWN', act: '0' })
})

it('shows a server’s limit, its slow start and its address where it has them', () => {
  expect(rowOf({ w1: {} }, 'w1')).toMatchObject({ slim: '', throttle: '', addr: 'w1.test:8080' })
  expect(
    rowOf({ w1: { maxInFlight: 9, weight: 4, effectiveWeight: 1, url: 'unix:/run/a%20b' } }, 'w1'),
  ).toMatchObject({ slim: '9', throttle: '25', addr: '/run/a b' })
})
