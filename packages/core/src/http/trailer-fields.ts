import type { HeaderFields } from '../head.ts'
import { HOP_BY_HOP } from './hop-by-hop.ts'
import { http2Value } from './single-value.ts'

/** Fields that say how a message is framed, routed, stored or read: too late behind its body (RFC 9110 §6.5.1). */
const HEAD_ONLY: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'expires',
  'host',
  'location',
  'set-cookie',
  'vary',
  'www-authenticate',
])

/**
 * The trailers of a backend's response that the client gets.
 * @param toHttp2 whether the client speaks HTTP/2, which writes one line at most of some fields
 */
export function trailerFields(trailers: Readonly<HeaderFields>, toHttp2 = false): HeaderFields {
  const kept = Object.entries(trailers).filter(([name]) => !HOP_BY_HOP.has(name) && !HEAD_ONLY.has(name))
  return Object.fromEntries(toHttp2 ? kept.map(([name, value]) => [name, http2Value(name, value)]) : kept)
}
