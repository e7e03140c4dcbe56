import type { PoolFile } from '../config/pool-file.ts'
import { editHeader } from './header-edits.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

const hasVariable = (value: string): boolean => value.includes('%[')

/** `http-request` and `http-response` that set or remove a field without a condition. */
export function haproxyHeaders(lines: readonly Statement[], file: PoolFile, report: Report): void {
  for (const statement of lines) {
    const { name, args } = statement
    if (name !== 'http-request' && name !== 'http-response') continue
    const [action = '', field = '', ...rest] = args
    if (!/^(?:set|add|del)-header$/.test(action)) continue
    report.take(statement)
    const what = `${name} ${action} ${field}`
    const side = name === 'http-request' ? 'requestHeaders' : 'responseHeaders'
    const removes = action === 'del-header'
    const condition = rest.findIndex(word => word === 'if' || word === 'unless')
    const value = (condition < 0 ? rest : rest.slice(0, condition)).join(' ')
    // A field of our own needs no look at the condition, so this comes first.
    const copy: PoolFile = {}
    const result = editHeader(copy, side, field, removes ? undefined : value, hasVariable)
    if (result === 'anyway') continue
    if (condition >= 0) report.lost(statement, 'limpet sets fields without conditions', what)
    else if (result === 'taken')
      editHeader(file, side, field, removes ? undefined : unescaped(value), hasVariable)
    else report.lost(statement, result.why, what)
  }
}

/** In a format of HAProxy `%%` is a percent sign. */
function unescaped(value: string): string {
  return value.replaceAll('%%', '%')
}
