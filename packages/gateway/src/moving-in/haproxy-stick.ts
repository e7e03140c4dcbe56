import type { PoolFile } from '../config/pool-file.ts'
import type { PolicyFile } from './draft.ts'
import { hashOf, sampleKey } from './haproxy-sample.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { lifeIn } from './units.ts'

/**
 * The policy of `stick-table` and `stick`. A table that learns from responses is `learn`; one that learns from requests
 * is a hash, which becomes the balance of the pool.
 */
export function stickPolicy(
  lines: readonly Statement[],
  file: PoolFile,
  report: Report,
): PolicyFile | undefined {
  const table = lines.findLast(({ name }) => name === 'stick-table')
  const sticks = lines.filter(({ name }) => name === 'stick')
  report.take(...sticks, ...(table === undefined ? [] : [table]))
  const stored = sticks.find(({ args: [kind] }) => kind === 'store-response')
  if (stored !== undefined) return learnOf(stored, sticks, table, report)
  for (const statement of sticks) {
    const [kind = '', ...sample] = statement.args
    const key = sampleKey(sample.join(' '))
    if ((kind === 'on' || kind === 'match') && key !== undefined) {
      report.changed(
        statement,
        'limpet keeps no table of clients: a hash of the same key places them, and each session moves once',
      )
      file.balance ??= 'round-robin'
      if (typeof file.balance === 'string') file.balance = hashOf(key)
    } else if (kind !== 'store-request') report.lost(statement, 'limpet has no such key', `stick ${kind}`)
  }
  return undefined
}

function learnOf(
  stored: Statement,
  sticks: readonly Statement[],
  table: Statement | undefined,
  report: Report,
): PolicyFile | undefined {
  const [, fetch = '', name = ''] =
    /^(?:res\.|s)?(cook|hdr|set-cookie)\(([\w.-]+)\)$/.exec(stored.args[1] ?? '') ?? []
  if (name === '' || sticks.filter(({ args: [kind] }) => kind === 'store-response').length > 1) {
    report.lost(stored, 'limpet learns from one cookie or one field of a response', 'stick store-response')
    return undefined
  }
  const own = fetch === 'hdr' ? `header:${name}` : `cookie:${name}`
  const lookups: string[] = []
  for (const statement of sticks) {
    const [kind = '', ...sample] = statement.args
    if (kind !== 'match' && kind !== 'on') continue
    const key = sampleKey(sample.join(' '))
    if (key === undefined || key === 'ip' || key === 'path')
      report.lost(statement, 'a lookup is a cookie, a parameter or a field', `stick ${kind}`)
    else lookups.push(key)
  }
  const words = table?.args ?? []
  const ttl = lifeIn(words[words.indexOf('expire') + 1] ?? '', 'ms')
  const size = sizeOf(words[words.indexOf('size') + 1] ?? '')
  if (table !== undefined && words.includes('peers'))
    report.lost(table, 'each limpet learns for itself', 'stick-table … peers')
  return {
    learn: {
      ...(fetch === 'hdr' ? { header: name } : { cookie: name }),
      ...(lookups.some(key => key !== own) && { lookup: lookups }),
      ...(ttl !== undefined && { ttl }),
      ...(size !== undefined && { maxEntries: size }),
    },
  }
}

function sizeOf(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,9})([kmg]?)$/i.exec(text) ?? []
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1024 : 1024 ** 2
  const size = Number(count) * factor
  return size >= 1 ? Math.min(size, 16_000_000) : undefined
}
