import type { PoolFile } from '../config/pool-file.ts'
import { hashOf, keyOf, sampleKey } from './haproxy-sample.ts'
import { MOVES_ONCE } from './nginx-balance.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { integerIn } from './units.ts'

/** `balance`, `hash-type` and `hash-balance-factor`. */
export function haproxyBalance(lines: readonly Statement[], file: PoolFile, report: Report): void {
  for (const statement of lines) {
    if (statement.name === 'balance') {
      report.take(statement)
      balanceOf(statement, file, report)
    } else if (statement.name === 'hash-type') {
      report.take(statement)
      if (statement.args[0] !== 'consistent')
        report.changed(
          statement,
          'each hash of limpet is consistent: a backend that leaves moves its own sessions only',
        )
    }
  }
  const factor = lines.findLast(({ name }) => name === 'hash-balance-factor')
  if (factor !== undefined) boundOf(factor, file, report)
}

function balanceOf(statement: Statement, file: PoolFile, report: Report): void {
  const [algorithm = '', ...args] = statement.args
  const [, name = '', inner = ''] = /^(\w[\w-]*)(?:\(([^)]*)\))?$/.exec(algorithm) ?? []
  switch (name) {
    case 'roundrobin':
    case 'static-rr':
      file.balance = 'round-robin'
      return
    case 'leastconn':
      file.balance = 'least-requests'
      return
    case 'first':
      file.balance = 'first'
      return
    case 'random':
      file.balance = inner === '1' ? 'random' : 'random-two'
      return
    case 'source':
      hash(statement, 'ip', file, report)
      return
    case 'uri':
      hash(statement, 'path', file, report)
      return
    case 'url_param':
      hash(statement, keyOf('query', args[0]), file, report)
      return
    case 'hdr':
      hash(statement, keyOf('header', inner), file, report)
      return
    case 'hash':
      hash(statement, sampleKey(args.join(' ')), file, report)
      return
    default:
      report.lost(statement, 'limpet does not balance so', `balance ${name}`)
  }
}

function hash(statement: Statement, key: string | undefined, file: PoolFile, report: Report): void {
  if (key === undefined) {
    report.lost(statement, 'limpet hashes the address, the path, or one field, parameter or cookie')
    return
  }
  report.changed(statement, MOVES_ONCE)
  file.balance = hashOf(key)
}

function boundOf(statement: Statement, file: PoolFile, report: Report): void {
  report.take(statement)
  const percent = integerIn(statement.args[0], 0, 1_000_000) ?? 0
  if (typeof file.balance !== 'object' || percent === 0) return
  if (percent < 105) report.lost(statement, 'boundedLoad is 1.05 at least')
  else file.balance = { ...file.balance, boundedLoad: percent / 100 }
}
