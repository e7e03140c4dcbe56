import { printable } from '../cli/printable.ts'
import type { Explanation, KeyExplanation } from '@limpet/core'
import { OBSTACLES } from '@limpet/core/adapter'

/** An explanation as a text for a terminal. */
export function explanationText(explanation: Explanation): string {
  const { pool, reason, status, balancer, policies, backends, backendsLeftOut = 0, waits } = explanation
  const keys = policies.flatMap(({ policy, keys: all }) => all.map(key => keyCells(policy, key)))
  const parts = [
    `${pool}: ${reason}.\n`,
    `affinity status: ${status}; balancer: ${balancer}\n`,
    ...(waits === undefined
      ? []
      : [`it waits ${waits.timeoutMs / 1000} s at most, then the response is 503\n`]),
    '\n',
    policies.length === 0
      ? 'no policy reads this request\n'
      : columns([['policy', 'key', 'value', 'result'], ...keys]),
    '\n',
    columns([
      ['backend', 'new sessions', 'why not'],
      ...backends.map(({ id, candidate, obstacle }) => [
        id,
        candidate ? 'yes' : 'no',
        obstacle === undefined ? '' : OBSTACLES[obstacle],
      ]),
    ]),
    ...(backendsLeftOut === 0 ? [] : [`and ${backendsLeftOut} more\n`]),
  ]
  return printable(parts.join(''))
}

function keyCells(policy: string, key: KeyExplanation): readonly string[] {
  const { claim, backend, obstacle, field = '', format, value = '-', note } = key
  const result =
    claim === 'backend'
      ? `names ${backend}${obstacle === undefined ? '' : `, which ${OBSTACLES[obstacle]}`}`
      : claim
  return [policy, field, value, [result, format, note].filter(part => part !== undefined).join('; ')]
}

/** A table whose columns are as wide as their widest cell. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length))) ?? []
  return rows
    .map(
      row =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
