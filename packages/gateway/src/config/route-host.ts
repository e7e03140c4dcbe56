const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const NAME = new RegExp(String.raw`^(?:\*\.)?${LABEL}(?:\.${LABEL})*$`)
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/

/** Accepted values of a route's host, for messages. */
export const HOST_TAKES =
  'a host name as clients send it, or *. and one for all names below it; without scheme, port or pattern'

/**
 * A host of a route in lower case; undefined for a text that no Host field can match, such as one with a port.
 * A name beyond ASCII is sent as `xn--…`.
 */
export function routeHost(text: string): string | undefined {
  const host = text.toLowerCase()
  return host.length <= 253 && (NAME.test(host) || IPV6.test(host)) ? host : undefined
}
