import type { HeaderFields, ResponseHead } from '../head.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'

/** `__proto__` is a legal field name and nobody's honest one: assigning to it would set something else. */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, '__proto__'])

/** The fields of a backend's answer that are the client's to see: all but those of the connection it came by. */
export function responseFields({ headers }: ResponseHead): HeaderFields {
  const fields: HeaderFields = {}
  const nominated = nominatedFields(headers['connection'])
  for (const name in headers) {
    if (DROPPED.has(name) || (nominated.size > 0 && nominated.has(name))) continue
    fields[name] = headers[name]
  }
  return fields
}
