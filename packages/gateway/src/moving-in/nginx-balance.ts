import type { PoolFile } from '../config/pool-file.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

export const MOVES_ONCE = 'limpet places by another hash, so each session moves once'

/** Takes the directive that says how an upstream balances. Any other stays for the report. */
export function nginxBalance(statement: Statement, file: PoolFile, report: Report): void {
  const { name, args } = statement
  switch (name) {
    case 'least_conn':
      report.take(statement)
      file.balance = 'least-requests'
      return
    case 'least_time':
      report.take(statement)
      report.changed(statement, 'limpet counts requests in flight, and measures no response times')
      file.balance = 'least-requests'
      return
    case 'random':
      report.take(statement)
      file.balance = args[0] === 'two' ? 'random-two' : 'random'
      return
    case 'ip_hash':
      report.take(statement)
      report.changed(statement, MOVES_ONCE)
      file.balance = { hash: 'ip', ipv4Prefix: 24, ipv6Prefix: 128 }
      return
    case 'hash':
      hashOf(statement, file, report)
  }
}

function hashOf(statement: Statement, file: PoolFile, report: Report): void {
  const [key = ''] = statement.args
  const hash = hashKey(key)
  if (hash === undefined) {
    report.lost(
      statement,
      'limpet hashes the address, the path, or one field, parameter or cookie; a combination is not taken',
    )
    return
  }
  report.take(statement)
  report.changed(statement, MOVES_ONCE)
  if (hasQuery(key)) report.changed(statement, WITHOUT_QUERY)
  file.balance = hash === 'ip' ? { hash, ipv6Prefix: 128 } : { hash }
}

export const WITHOUT_QUERY = 'limpet hashes the path without the query'

/** Whether a variable is the path together with the query. */
export function hasQuery(text: string): boolean {
  return /^\$\{?request_uri\}?$/.test(text)
}

/** limpet's key for one variable of nginx. */
export function hashKey(text: string): string | undefined {
  const variable = /^\$(?:\{(\w+)\}|(\w+))$/.exec(text)
  const name = variable?.[1] ?? variable?.[2] ?? ''
  if (/^(?:binary_)?remote_addr$/.test(name)) return 'ip'
  if (/^(?:request_uri|uri|document_uri)$/.test(name)) return 'path'
  const [, kind = '', rest = ''] = /^(http|arg|cookie)_(\w+)$/.exec(name) ?? []
  if (kind === 'http') return `header:${rest.replaceAll('_', '-')}`
  if (kind === 'arg') return `query:${rest}`
  return kind === 'cookie' ? `cookie:${rest}` : undefined
}
