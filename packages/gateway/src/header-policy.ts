import type { AffinityPolicy } from '@limpet/core'
import type { IncomingMessage } from 'node:http'

/** Header fields that are set, and those that are taken out. */
export interface HeaderEdits {
  readonly set?: Readonly<Record<string, string>> | undefined
  readonly remove?: readonly string[] | undefined
}

/** Edits the fields of every answer of a backend. It has no key, so it claims nothing. */
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

/** Edits the fields of a request before anybody reads them; undefined: there is nothing to edit. */
export function requestEditor({
  set = {},
  remove = [],
}: HeaderEdits): ((request: IncomingMessage) => void) | undefined {
  const names = new Set([...remove, ...Object.keys(set)].map(name => name.toLowerCase()))
  if (names.size === 0) return undefined
  return request => {
    const { rawHeaders, headers } = request
    const kept: string[] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? ''
      if (!names.has(name.toLowerCase())) kept.push(name, rawHeaders[index + 1] ?? '')
    }
    for (const name of names) Reflect.deleteProperty(headers, name)
    for (const [name, value] of Object.entries(set)) {
      kept.push(name, value)
      headers[name.toLowerCase()] = value
    }
    request.rawHeaders = kept
  }
}
