import { isIP } from 'node:net'
import { type Client, plainAddress } from './client.ts'
import { foldedName } from './folded-name.ts'
import { type RequestHead, requestedHost } from '../head.ts'

/**
 * Appends to `lines` the fields that describe the client to a backend: X-Forwarded-For, -Proto, -Host and -Port,
 * X-Real-IP, and Forwarded (RFC 7239) where a trusted proxy has begun one. The client's own fields of these
 * names, and their aliases with underscores, were removed before, so no client can forge one. Fields that
 * the application has set are among the lines already, and stay as they are.
 */
export function appendForwarded(lines: string[], request: RequestHead, client: Client): void {
  const { headers, localPort } = request
  const append = (name: string, value: string): void => {
    if (!isSetByApplication(name, request)) lines.push(name, value)
  }
  const peer = plainAddress(request.remoteAddress)
  const proto = client.isSecure ? 'https' : 'http'
  const host = requestedHost(request)
  if (!client.isProxied) {
    if (peer !== undefined) append('X-Forwarded-For', peer)
    append('X-Forwarded-Proto', proto)
    if (host !== undefined) append('X-Forwarded-Host', host)
    if (localPort !== undefined) append('X-Forwarded-Port', String(localPort))
    if (peer !== undefined) append('X-Real-IP', peer)
    return
  }
  const before = joined(headers['x-forwarded-for'])
  const chain = [before, peer].filter(part => part !== undefined && part !== '').join(', ')
  append('X-Forwarded-For', chain)
  append('X-Forwarded-Proto', proto)
  const forwardedHost = joined(headers['x-forwarded-host']) ?? host
  if (forwardedHost !== undefined) append('X-Forwarded-Host', forwardedHost)
  const port = joined(headers['x-forwarded-port'])
  if (port !== undefined && /^\d{1,5}$/.test(port)) append('X-Forwarded-Port', port)
  if (client.address !== undefined) append('X-Real-IP', client.address)
  const forwarded = joined(headers['forwarded'])
  if (forwarded !== undefined) append('Forwarded', `${forwarded}, for=${forwardedNode(peer)};proto=${proto}`)
}

function isSetByApplication(name: string, { edits, headers }: RequestHead): boolean {
  if (edits === undefined) return false
  const lower = name.toLowerCase()
  return edits.names.has(lower) && headers[lower] !== undefined
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
  const name = foldedName(lowerName)
  return name.startsWith('x-forwarded-') || name === 'x-real-ip' || name === 'forwarded'
}
