import type { PoolFile } from '../config/pool-file.ts'
import { haproxyBalance } from './haproxy-balance.ts'
import { cookiePolicy } from './haproxy-cookie.ts'
import { stickPolicy } from './haproxy-stick.ts'
import { addPolicy } from './pool-draft.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** `cookie`, `stick-table`, `stick …`, `balance` and the lines that belong to them. */
export function haproxyAffinity(lines: readonly Statement[], file: PoolFile, report: Report): void {
  haproxyBalance(lines, file, report)
  // The last one holds, as everywhere in HAProxy.
  const cookie = lines.findLast(({ name }) => name === 'cookie')
  report.take(...lines.filter(({ name }) => name === 'cookie' || name === 'dynamic-cookie-key'))
  const own = cookie === undefined ? undefined : cookiePolicy(cookie, lines, report)
  if (own !== undefined) file.affinity = [own]
  const learnt = stickPolicy(lines, file, report)
  if (learnt === undefined || addPolicy(file, learnt)) return
  for (const statement of lines)
    if (statement.name === 'stick') report.lost(statement, 'the cookie of the backend has the same name')
}
