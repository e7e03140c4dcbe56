import { isIP } from 'node:net'
import { type Client, plainAddress } from '../client.ts'
import { type RequestHead, requestedHost } from '../head.ts'

/**
 * Appends to `lines` what a backend is told about the client: X-Forwarded-For, -Proto, -Host and -Port,
 * X-Real-IP, and Forwarded (RFC 7239) where a trusted proxy has begun one. The client's own fields of these
 * names, and their aliases with underscores, were dropped before, so nothing here is a client's word.
 */
export function appendForwarded(lines: string[], request: RequestHead, client: Client): void {
  const { headers, localPort } = request
  const peer = plainAddress(request.remoteAddress)
  const proto = client.isSecure ? 'https' : 'http'
  const host = requestedHost(request)
  if (!client.isProxied) {
    if (peer !== undefined) lines.push('X-Forwarded-For', peer)
    lines.push('X-Forwarded-Proto', proto)
    if (host !== undefined) lines.push('X-Forwarded-Host', host)
    if (localPort !== undefined) lines.push('X-Forwarded-Port', String(localPort))
    if (peer !== undefined) lines.push('X-Real-IP', peer)
    return
  }
  const before = joined(headers['x-forwarded-for'])
  const chain = [before, peer].filter(part => part !== undefined && part !== '').join(', ')
  lines.push('X-Forwarded-For', chain, 'X-Forwarded-Proto', proto)
  const forwardedHost = joined(headers['x-forwarded-host']) ?? host
  if (forwardedHost !== undefined) lines.push('X-Forwarded-Host', forwardedHost)
  const port = joined(headers['x-forwarded-port'])
  if (port !== undefined && /^\d{1,5}$/.test(port)) lines.push('X-Forwarded-Port', port)
  if (client.address !== undefined) lines.push('X-Real-IP', client.address)
  const forwarded = joined(headers['forwarded'])
  if (forwarded !== undefined)
    lines.push('Forwarded', `${forwarded}, for=${forwardedNode(peer)};proto=${proto}`)
}

/** RFC 7239 §6: an IPv6 address stands in brackets, and therefore in quotes. */
function forwardedNode(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return isIP(address) === 6 ? `"[${address}]"` : address
}

function joined(field: string | string[] | undefined): string | undefined {
  return typeof field === 'object' ? field.join(', ') : field
}

/**
 * Whether a client's field claims something that only this gateway may say. Some servers read `X_Forwarded_For`
 * as `X-Forwarded-For`, so the underscore spelling counts.
 */
export function isForwardingField(lowerName: string): boolean {
  const name = lowerName.includes('_') ? lowerName.replaceAll('_', '-') : lowerName
  return name.startsWith('x-forwarded-') || name === 'x-real-ip' || name === 'forwarded'
}
