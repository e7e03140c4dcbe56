import type { AffinityPolicy } from '@limpet/core'
import { validateHeaderName, validateHeaderValue } from 'node:http'

/** Header fields that are set, and those that are taken out. */
export interface HeaderEdits {
  readonly set?: Readonly<Record<string, string>> | undefined
  readonly remove?: readonly string[] | undefined
}

/** Fields that frame a message or belong to its connection; a file cannot change them. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The problems of header edits: path and reason. */
export function headerProblems({
  set = {},
  remove = [],
}: HeaderEdits): readonly (readonly [path: string, why: string])[] {
  const problems: (readonly [string, string])[] = []
  function check(path: string, name: string, value = ''): void {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
      if (OURS.has(name.toLowerCase()))
        problems.push([path, 'is of the connection, which is not to be edited'])
    } catch (error) {
      problems.push([path, `takes a header field (${(error as Error).message})`])
    }
  }
  for (const [name, value] of Object.entries(set)) check(`set.${name}`, name, value)
  for (const [index, name] of remove.entries()) check(`remove[${index}]`, name)
  return problems
}

/** Edits the fields of every response of a backend. It has no key, so it claims nothing. */
export function headerPolicy({ set = {}, remove = [] }: HeaderEdits): AffinityPolicy {
  const lines = Object.entries(set).map(([name, value]): [string, string] => [name.toLowerCase(), value])
  const names = remove.map(name => name.toLowerCase())
  return {
    name: 'headers',
    read: () => ({ kind: 'none' }),
    write(_answer, fields) {
      for (const name of names) delete fields[name]
      for (const [name, value] of lines) fields[name] = value
    },
    // No session is tied by it.
    sessions: () => 0,
  }
}
