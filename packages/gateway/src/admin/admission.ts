import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { AdminError } from './admin-error.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Whether a request may be answered at all. Without a token only this machine asks, and by its own name: a page in a
 * browser could let a name of its own point here (DNS rebinding), and its requests would say so in their Host.
 * @throws AdminError
 */
export function admit({ headers, socket }: IncomingMessage, token: string | undefined): void {
  if (token !== undefined) return
  if (!isLoopbackAddress(socket.remoteAddress ?? '') || !isLoopbackName(headers.host ?? ''))
    throw new AdminError(403, 'FORBIDDEN', 'without a token only loopback is answered, by a loopback name')
}

/**
 * Whether a request may change something. Its media type is one that no form and no simple request of another site has.
 * @throws AdminError
 */
export function admitChange({ headers }: IncomingMessage, token: string | undefined): void {
  if (token !== undefined && !isToken(headers.authorization ?? '', token)) {
    const challenge = { 'www-authenticate': 'Bearer' }
    throw new AdminError(401, 'UNAUTHORIZED', 'this needs Authorization: Bearer and the token', challenge)
  }
  if (!/^application\/json *(?:;.*)?$/i.test(headers['content-type'] ?? ''))
    throw new AdminError(415, 'UNSUPPORTED_MEDIA_TYPE', 'this needs Content-Type: application/json')
}

/** In constant time, whatever the lengths. */
function isToken(authorization: string, token: string): boolean {
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return (
    name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replaceAll(/[[\]]/g, ''))
  )
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '')
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}
