/*
 * Fields that belong to one connection and end with it (RFC 9110 §7.6.1), and those that a gateway writes
 * itself. The list in a message's Connection field is honoured too, but it cannot name a field that this
 * gateway vouches for: clients have removed forwarding headers that way (CVE-2022-31813).
 */

/** Dropped from requests and responses alike. `Proxy` would become HTTP_PROXY in a CGI (httpoxy). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

const NEVER_NOMINATED: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-length',
  'cookie',
  'forwarded',
  'host',
  'set-cookie',
])
const NOBODY: ReadonlySet<string> = new Set()

/** The names that a Connection field declares to be of this connection only, in lower case. */
export function nominatedFields(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  // By far the most common values, and they nominate nothing that is not dropped anyway.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NOBODY
  const line = typeof connection === 'string' ? connection : connection.join(',')
  const names = line.split(',').map(name => name.trim().toLowerCase())
  return new Set(
    names.filter(name => name !== '' && !NEVER_NOMINATED.has(name) && !name.startsWith('x-forwarded-')),
  )
}
