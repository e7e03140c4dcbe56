import type { AffinityPolicy } from '@limpet/core'

/** Header fields that are set, and those that are taken out. */
export interface HeaderEdits {
  readonly set?: Readonly<Record<string, string>> | undefined
  readonly remove?: readonly string[] | undefined
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
