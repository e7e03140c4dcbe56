import type { HeaderFields, ResponseHead } from '../head.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'
import { nameTable } from './name-table.ts'

const mayConcern = nameTable([...HOP_BY_HOP, '__proto__'])

/** The fields of a backend's answer that are the client's to see: all but those of the connection it came by. */
export function responseFields({ headers }: ResponseHead): HeaderFields {
  const fields: HeaderFields = {}
  const nominated = nominatedFields(headers['connection'])
  for (const name of Object.keys(headers)) {
    if (mayConcern(name) && isDropped(name)) continue
    if (nominated.size === 0 || !nominated.has(name)) fields[name] = headers[name]
  }
  return fields
}

/** `__proto__` is a legal field name and nobody's honest one: assigning to it would set something else. */
function isDropped(name: string): boolean {
  return HOP_BY_HOP.has(name) || name === '__proto__'
}
