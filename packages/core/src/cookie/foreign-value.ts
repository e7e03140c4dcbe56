/**
 * Values that another load balancer wrote, and that are taken once on the way in.
 * `raw`: the backend's id, unsigned. `haproxy`: `cookie SERVERID insert`, the id, or the id with the dates
 * of maxidle and maxlife: `s1|…|…`.
 *
 * The price: they are unsigned, so whoever knows an id can choose that backend. Take the option out when the
 * last session from before has ended.
 */
export type ForeignFormat = 'raw' | 'haproxy'

export const FOREIGN_FORMATS: readonly ForeignFormat[] = ['raw', 'haproxy']

/** The backend id that a foreign value names; not checked to be one of the pool. */
export function foreignId(value: string, formats: readonly ForeignFormat[]): string | undefined {
  if (value === '' || value.length > 128) return undefined
  for (const format of formats) {
    const id = format === 'raw' ? value : haproxyId(value)
    if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return id
  }
  return undefined
}

/** The dates are HAProxy's own, in its base64 and 4-second units, and unsigned: they prove nothing, so they are not read. */
function haproxyId(value: string): string {
  const bar = value.indexOf('|')
  return bar < 0 ? value : value.slice(0, bar)
}
