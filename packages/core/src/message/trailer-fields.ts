import type { HeaderFields } from '../head.ts'
import { HOP_BY_HOP } from './hop-by-hop.ts'

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

/** The trailers of a backend's answer that are the client's to see. */
export function trailerFields(trailers: Readonly<HeaderFields>): HeaderFields {
  const kept = Object.entries(trailers).filter(([name]) => !HOP_BY_HOP.has(name) && !HEAD_ONLY.has(name))
  return Object.fromEntries(kept)
}
