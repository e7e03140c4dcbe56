import type { AffinityStatus } from './counts/affinity-status.ts'
import { TICKS_PER_MS } from './counts/ticks.ts'
import type { HeaderFields } from './http/heads.ts'

/** Adds limpet's member to `Server-Timing`, after those of the backend (Server Timing, W3C; a list, RFC 9110 §5.6.1). */
export function addServerTiming(fields: HeaderFields, status: AffinityStatus, ticks: number): void {
  const own = `limpet;desc="${status}";dur=${ticks / TICKS_PER_MS}`
  const known = fields['server-timing']
  fields['server-timing'] = known === undefined ? own : [known, own].flat().join(', ')
}
