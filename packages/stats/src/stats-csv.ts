import type { BackendFigures, HistogramFigures, PoolFigures } from '@limpet/core'
import { CSV_HEAD, csvLine, type CsvRow } from './csv-columns.ts'

/** The media type of `statsCsv()`. */
export const CSV_TYPE = 'text/plain; charset=utf-8'

/**
 * Figures as HAProxy's statistics in CSV (`/stats;csv`), for tools that read those. A pool is a `listen` section of
 * HAProxy: a row `FRONTEND`, a row for each backend, and a row `BACKEND`. Columns without a meaning here are empty.
 */
export function statsCsv(pools: Iterable<PoolFigures>): string {
  return [...statsCsvPieces(pools)].join('')
}

/** The same in pieces, each made when it is asked for, so that a server can do other work in between. */
export function* statsCsvPieces(pools: Iterable<PoolFigures>): Generator<string> {
  yield CSV_HEAD
  let number = 0
  for (const pool of pools) {
    number += 1
    yield csvLine({ ...frontend(pool), iid: number, sid: 0 })
    for (const [index, backend] of pool.backends.entries())
      yield csvLine({ ...server(pool, backend), iid: number, sid: index + 1 })
    yield csvLine({ ...total(pool), iid: number, sid: 0 })
  }
}

function frontend(pool: PoolFigures): CsvRow {
  const refused = sum(Object.values(pool.refused))
  const requests = pool.durations.count
  return {
    pxname: pool.pool,
    svname: 'FRONTEND',
    type: 0,
    pid: 1,
    status: 'OPEN',
    mode: 'http',
    scur: pool.inFlight + pool.queued,
    stot: requests,
    req_tot: requests,
    ereq: refused,
    ...shared(pool.backends),
    ttime: meanMs(pool.durations),
  }
}

function total(pool: PoolFigures): CsvRow {
  const { backends, atMs } = pool
  const serving = backends.filter(backend => backend.healthy && backend.state !== 'maint')
  return {
    pxname: pool.pool,
    svname: 'BACKEND',
    type: 1,
    pid: 1,
    status: serving.length > 0 ? 'UP' : 'DOWN',
    mode: 'http',
    scur: pool.inFlight,
    qcur: pool.queued,
    stot: pool.requests,
    lbtot: sum(backends.map(backend => backend.sessionsStarted)),
    req_tot: pool.requests,
    weight: sum(serving.map(backend => backend.effectiveWeight)),
    uweight: sum(serving.map(backend => backend.weight)),
    act: serving.filter(backend => !backend.backup).length,
    bck: serving.filter(backend => backend.backup).length,
    chkdown: sum(backends.map(backend => backend.turnedDown)),
    lastchg: seconds(atMs - Math.max(0, ...backends.map(backend => backend.changedAtMs))),
    ...shared(backends),
    ...errors(backends),
    qtime: meanMs(pool.queueTimes),
    ttime: meanMs(pool.durations),
  }
}

function server(pool: PoolFigures, backend: BackendFigures): CsvRow {
  const { atMs } = pool
  return {
    pxname: pool.pool,
    svname: backend.id,
    type: 2,
    pid: 1,
    status: statusOf(backend),
    mode: 'http',
    scur: backend.inFlight,
    slim: backend.maxInFlight === 0 ? undefined : backend.maxInFlight,
    qcur: backend.queued,
    stot: backend.requests,
    req_tot: backend.requests,
    lbtot: backend.sessionsStarted,
    weight: backend.effectiveWeight,
    uweight: backend.weight,
    act: backend.backup ? 0 : 1,
    bck: backend.backup ? 1 : 0,
    throttle:
      backend.effectiveWeight < backend.weight ? (100 * backend.effectiveWeight) / backend.weight : undefined,
    chkfail: backend.checks.failed,
    chkdown: backend.turnedDown,
    lastchg: seconds(atMs - backend.changedAtMs),
    downtime: seconds(backend.downMs),
    addr: addressOf(backend.url),
    used_conn_cur: backend.connections,
    ...check(backend),
    ...shared([backend]),
    ...errors([backend]),
    rtime: meanMs(backend.responseTimes),
  }
}

/** Counts that each kind of row has. */
function shared(backends: readonly BackendFigures[]): Readonly<Record<string, number>> {
  const add = (read: (backend: BackendFigures) => number): number => sum(backends.map(read))
  return {
    bin: add(({ bytesIn }) => bytesIn),
    bout: add(({ bytesOut }) => bytesOut),
    hrsp_1xx: add(({ responses }) => responses['1xx']),
    hrsp_2xx: add(({ responses }) => responses['2xx']),
    hrsp_3xx: add(({ responses }) => responses['3xx']),
    hrsp_4xx: add(({ responses }) => responses['4xx']),
    hrsp_5xx: add(({ responses }) => responses['5xx']),
    hrsp_other: 0,
  }
}

function errors(backends: readonly BackendFigures[]): Readonly<Record<string, number>> {
  const add = (read: (backend: BackendFigures) => number): number => sum(backends.map(read))
  return {
    econ: add(({ failuresByKind }) => failuresByKind.unreached),
    eresp: add(({ failures, failuresByKind }) => failures - failuresByKind.unreached),
    srv_abrt: add(({ failuresByKind }) => failuresByKind.truncated),
    wredis: add(({ redispatchedFrom }) => redispatchedFrom),
  }
}

/** In HAProxy's words. A backend that no check has seen has no `UP`. */
function statusOf({ state, healthy, selfDraining, checks }: BackendFigures): string {
  if (state === 'maint') return 'MAINT'
  if (!healthy) return 'DOWN'
  if (state === 'drain') return 'DRAIN'
  if (selfDraining) return 'NOLB'
  return checks.last === undefined ? 'no check' : 'UP'
}

/** The last check, in the words of HAProxy's `check_status`. */
function check({ checks: { last } }: BackendFigures): Readonly<Record<string, string | number | undefined>> {
  if (last === undefined) return {}
  const { healthy, problem = '', durationMs } = last
  const [, code] = /^status (\d{3})$/.exec(problem) ?? []
  const status = healthy
    ? 'L7OK'
    : code !== undefined
      ? 'L7STS'
      : problem.startsWith('no response within')
        ? 'L7TOUT'
        : /ECONN|EHOST|ENET|ENOTFOUND|no connection/.test(problem)
          ? 'L4CON'
          : 'L7RSP'
  return { check_status: status, check_code: code, check_duration: durationMs, last_chk: problem }
}

function addressOf(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return protocol === 'unix:' ? decodeURIComponent(pathname) : host
}

function meanMs({ count, sumMs }: HistogramFigures): number | undefined {
  return count === 0 ? undefined : sumMs / count
}

function seconds(ms: number): number {
  return Math.floor(Math.max(0, ms) / 1000)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, number) => before + number, 0)
}
