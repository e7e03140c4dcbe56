import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { AdminError } from './admin-error.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Wrong tokens from one address, in a minute; then it is asked for none. */
const MOST_FAILURES = 10
const MINUTE_MS = 60_000
/** Addresses that are remembered for that. */
const MOST_ADDRESSES = 1_000

/** Who may ask the admin port, and who may change something. */
export class Admission {
  readonly #token: Buffer | undefined
  readonly #now: () => number
  readonly #failures = new Map<string, { count: number; readonly untilMs: number }>()

  /** @param now milliseconds of a clock that is never set back */
  constructor(token: string | undefined, now: () => number = () => performance.now()) {
    this.#token = token === undefined ? undefined : digest(token)
    this.#now = now
  }

  /**
   * Without a token only this machine is answered, by its own name: a page in a browser could let a name of its own point
   * here (DNS rebinding), and its requests would say so in their Host. With one, whoever has it.
   * @throws AdminError
   */
  admit({ headers, socket: { remoteAddress = '' } }: IncomingMessage): void {
    if (this.#token !== undefined) {
      this.#admitToken(headers.authorization ?? '', remoteAddress, this.#token)
    } else if (!isLoopbackAddress(remoteAddress)) {
      throw new AdminError(403, 'FORBIDDEN', 'without a token only loopback is answered')
    } else if (!isLoopbackName(headers.host ?? '')) {
      throw new AdminError(421, 'MISDIRECTED', 'without a token only loopback names are answered')
    }
  }

  /**
   * Nothing is changed by a form or a page of another site: the media type is one that they cannot send without being
   * asked first, and a browser says where a request comes from.
   * @throws AdminError
   */
  admitChange({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site']
    const { origin, host } = headers
    const isForeign = origin !== undefined && origin !== `http://${host ?? ''}`
    if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none'))
      throw new AdminError(403, 'FORBIDDEN', 'no page of another site changes anything')
    if (!/^application\/json *(?:;.*)?$/i.test(headers['content-type'] ?? ''))
      throw new AdminError(415, 'UNSUPPORTED_MEDIA_TYPE', 'this needs Content-Type: application/json')
  }

  #admitToken(authorization: string, address: string, token: Buffer): void {
    const known = this.#failures.get(address)
    const nowMs = this.#now()
    const isFresh = known !== undefined && nowMs < known.untilMs
    if (isFresh && known.count >= MOST_FAILURES) {
      const seconds = String(Math.ceil((known.untilMs - nowMs) / 1000))
      throw new AdminError(429, 'TOO_MANY_REQUESTS', 'too many wrong tokens', { 'retry-after': seconds })
    }
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
    // In constant time, whatever the lengths.
    if (timingSafeEqual(digest(given), token)) return
    if (isFresh) known.count += 1
    else this.#remember(address, nowMs)
    const challenge = { 'www-authenticate': 'Bearer' }
    throw new AdminError(401, 'UNAUTHORIZED', 'this needs Authorization: Bearer and the token', challenge)
  }

  #remember(address: string, nowMs: number): void {
    if (this.#failures.size >= MOST_ADDRESSES) this.#failures.clear()
    this.#failures.set(address, { count: 1, untilMs: nowMs + MINUTE_MS })
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || isLoopbackAddress(name.replaceAll(/[[\]]/g, ''))
}

export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '')
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}
