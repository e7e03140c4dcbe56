/** `uri-host [ ":" port ]` (RFC 3986 §3.2.2), loosely: any text that names one host, and none that could name more. */
export function isAuthority(host: string): boolean {
  // Most requests ask for the same host as the request before.
  if (host === lastAuthority) return true
  if (!AUTHORITY.test(host)) return false
  lastAuthority = host
  return true
}

let lastAuthority = 'localhost'
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]{2,64}\]|[\w.~!$&'()*+;=%-]{1,255})(?::\d{0,5})?$/
