import type { HeaderFields, ResponseHead } from '../head.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'
import { http2Value } from './single-value.ts'

/** `__proto__` is a legal field name that no honest peer uses: assigning to it would set the prototype. */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, '__proto__'])

/**
 * The fields of a backend's response that the client gets: all but those of the connection it came by.
 * @param toHttp2 whether the client speaks HTTP/2, which writes one line at most of some fields
 */
export function responseFields({ headers }: ResponseHead, toHttp2 = false): HeaderFields {
  const fields: HeaderFields = {}
  const nominated = nominatedFields(headers['connection'])
  for (const name in headers) {
    if (DROPPED.has(name) || (nominated.size > 0 && nominated.has(name))) continue
    fields[name] = toHttp2 ? http2Value(name, headers[name]) : headers[name]
  }
  return fields
}
