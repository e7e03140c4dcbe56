import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { hostname } from 'node:os'
import type { AdminConfig } from '../config/config.ts'
import { AdminError } from './admin-error.ts'
import { WrongTokens } from './wrong-tokens.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Decides which requests the admin port serves, and which may change something. */
export class Admission {
  readonly #token: Buffer | undefined
  readonly #names: ReadonlySet<string>
  readonly #now: () => number
  readonly #wrong = new WrongTokens()

  /** @param now milliseconds of a clock that is never set back */
  constructor({ host, token, hosts }: AdminConfig, now: () => number = () => performance.now()) {
    this.#token = token === undefined ? undefined : digest(token)
    const own = token === undefined ? [] : [host, hostname()]
    this.#names = new Set(['localhost', ...own, ...hosts].map(name => name.toLowerCase()))
    this.#now = now
  }

  /**
   * Without a token only loopback addresses are served. With one, requests that have it: as a Bearer token, or, to read,
   * as the password of Basic, which readers of HAProxy's statistics and browsers send.
   *
   * In both cases the Host must be an address, or a name that is known: a page in a browser could point a name of its own
   * here (DNS rebinding), and the Host of its requests would be that name.
   * @param hasForms whether Basic is enough for a change, too: the page checks the origin and the token of its forms
   * @throws AdminError
   */
  admit({ method, headers, socket: { remoteAddress = '' } }: IncomingMessage, hasForms = false): void {
    if (this.#token === undefined && !isLoopbackAddress(remoteAddress))
      throw new AdminError(403, 'FORBIDDEN', 'without a token only loopback is answered')
    if (!this.#isKnownHost(headers.host ?? ''))
      throw new AdminError(
        421,
        'MISDIRECTED',
        'the Host is not known here; admin.hosts lists names of this port',
      )
    if (this.#token === undefined) return
    const { authorization = '' } = headers
    const takesBasic = method === 'GET' || hasForms
    const given = bearerToken(authorization) ?? (takesBasic ? basicPassword(authorization) : undefined)
    this.#admitToken(given, remoteAddress, this.#token, takesBasic)
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

  #isKnownHost(host: string): boolean {
    const name = host.replace(/:\d+$/, '').toLowerCase()
    const address = name.replace(/^\[(.*)\]$/, '$1')
    return (
      this.#names.has(name) || (this.#token === undefined ? isLoopbackAddress(address) : isIP(address) !== 0)
    )
  }

  #admitToken(given: string | undefined, address: string, token: Buffer, takesBasic: boolean): void {
    // A request without credentials is compared with nothing.
    if (given === undefined) throw unauthorized(takesBasic)
    // In constant time, whatever the lengths. First of all, so that wrong tokens lock the right one out of nothing.
    if (timingSafeEqual(digest(given), token)) return
    const waitMs = this.#wrong.note(address, this.#now())
    if (waitMs === 0) throw unauthorized(takesBasic)
    throw new AdminError(429, 'TOO_MANY_REQUESTS', 'too many wrong tokens', {
      'retry-after': String(Math.ceil(waitMs / 1000)),
    })
  }
}

function bearerToken(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

/** The user name is of no account. A password may have colons. */
function basicPassword(authorization: string): string | undefined {
  const [, encoded] = /^Basic +([\w+/]+={0,2})$/i.exec(authorization) ?? []
  if (encoded === undefined) return undefined
  const [, ...parts] = Buffer.from(encoded, 'base64').toString('latin1').split(':')
  const password = parts.join(':')
  return password === '' ? undefined : password
}

/** Only a read, or the page, may ask for a password: a browser then sends it with every request, those of other sites among them. */
function unauthorized(takesBasic: boolean): AdminError {
  const challenge = { 'www-authenticate': takesBasic ? 'Bearer, Basic realm="limpet"' : 'Bearer' }
  return new AdminError(401, 'UNAUTHORIZED', 'this needs Authorization: Bearer and the token', challenge)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '')
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}
