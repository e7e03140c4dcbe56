import type { PoolFile } from '../config/pool-file.ts'
import type { Draft } from './draft.ts'
import { isQuiet } from './haproxy-words.ts'
import type { Report } from './report.ts'
import { lastOf, type Statement } from './statement.ts'
import { durationIn, integerIn } from './units.ts'

/** The connections of the process, and its admin socket. */
export function globalLimits(section: Statement, draft: Draft, report: Report): void {
  const { block = [] } = section
  report.take(section)
  const limit = lastOf(block, 'maxconn')
  const most = integerIn(limit?.args[0], 1, 1_000_000_000)
  if (limit !== undefined) report.take(limit)
  if (most !== undefined) draft.limits.connections = most
  for (const line of block) {
    if (line.name === 'stats' && line.args[0] === 'socket') {
      report.take(line)
      draft.admin = { listen: '127.0.0.1:8404' }
    } else if (isQuiet(line)) report.take(line)
  }
}

/** Timeouts and connections of clients. */
export function clientLimits(lines: readonly Statement[], { limits }: Draft, report: Report): void {
  const times = {
    client: 'sendTimeout',
    'http-request': 'headersTimeout',
    'http-keep-alive': 'keepAlive',
  } as const
  for (const [word, key] of Object.entries(times) as [
    keyof typeof times,
    (typeof times)[keyof typeof times],
  ][]) {
    const time = timeoutIn(lines, word, report)
    if (time !== undefined) limits[key] = time
  }
  const limit = lastOf(lines, 'maxconn')
  if (limit === undefined) return
  report.take(...lines.filter(({ name }) => name === 'maxconn'))
  const most = integerIn(limit.args[0], 1, 1_000_000_000)
  if (most !== undefined) limits.connections = most
}

/** Timeouts, retries and the queue of a pool. */
export function serverLimits(lines: readonly Statement[], file: PoolFile, report: Report): void {
  const connect = timeoutIn(lines, 'connect', report)
  const response = timeoutIn(lines, 'server', report)
  const tunnel = timeoutIn(lines, 'tunnel', report)
  const timeouts = {
    ...(connect !== undefined && { connect }),
    ...(response !== undefined && { response }),
    ...(tunnel !== undefined && { tunnel }),
  }
  if (Object.keys(timeouts).length > 0) file.timeouts = timeouts
  const queue = timeoutIn(lines, 'queue', report)
  // Without a limit of a server no request waits.
  if (file.backends?.some(({ maxInFlight = 0 }) => maxInFlight > 0) === true) {
    file.whenFull = 'wait'
    if (queue !== undefined) file.queueTimeout = queue
  }
  const retries = lastOf(lines, 'retries')
  report.take(...lines.filter(({ name }) => name === 'retries'))
  const count = integerIn(retries?.args[0], 0, 99)
  if (count !== undefined) file.maxAttempts = count + 1
  const rows = lines.filter(({ name, args }) => name === 'option' && args[0] === 'redispatch')
  report.take(...rows)
  const cap = lastOf(lines, 'fullconn')
  if (cap !== undefined) report.lost(cap, 'limpet has no dynamic limit')
}

export function timeoutIn(lines: readonly Statement[], word: string, report: Report): string | undefined {
  const all = lines.filter(({ name, args }) => name === 'timeout' && args[0] === word)
  report.take(...all)
  const text = all.at(-1)?.args[1]
  const time = text === undefined ? undefined : durationIn(text, 'ms')
  const statement = all.at(-1)
  if (statement !== undefined && time === undefined)
    report.lost(statement, 'it is not a time of at most 24 days', `timeout ${word}`)
  return time
}
