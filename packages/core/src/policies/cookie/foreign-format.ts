import { createHash, createHmac } from 'node:crypto'
import type { Backend } from '../../pool/backend.ts'
import { OptionError, optionList, optionObject, redact } from '../../options/option.ts'
import { addressBytes } from '../../http/address-bytes.ts'
import { xxHash64 } from './xx-hash.ts'

/**
 * Values that another load balancer wrote, and that are taken once on the way in.
 * - `raw`: the backend's id.
 * - `haproxy`: `cookie … insert`, the id, with or without the dates of maxidle and maxlife: `s1|…|…`. With a `key`
 *   also `cookie … insert dynamic`: XXH64 of `dynamic-cookie-key`, address and port.
 * - `nginx`: `sticky cookie`, the MD5 of `address:port`.
 * - `traefik`: the first 16 digits of the SHA-256 of the server's name, which is the id here, or its URL.
 * - `caddy`: `lb_policy cookie`, the HMAC-SHA256 of the upstream's `address:port` under its `secret`.
 *
 * The price: but for the last they prove nothing, so whoever knows an id or an address can choose that backend.
 * Take the option out when the last session from before has ended.
 */
export type ForeignFormat =
  | 'raw'
  | 'haproxy'
  | 'nginx'
  | 'traefik'
  | { readonly haproxy: { readonly key: string } }
  | { readonly caddy: { readonly secret: string } }

/** A format, ready to tell what its load balancer would have written. */
export interface ParsedFormat {
  readonly valuesOf: (backend: Backend) => readonly string[]
  /** Whether dates may follow, after a bar: HAProxy's own, unsigned. They prove nothing, so they are not read. */
  readonly hasDates: boolean
}

const WORDS = ['raw', 'haproxy', 'nginx', 'traefik'] as const
const TAKES = `a list of ${WORDS.join(', ')}, { haproxy: { key } } and { caddy: { secret } }`

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseForeignFormats(path: string, value: unknown): readonly ParsedFormat[] {
  if (value === undefined) return []
  return optionList(path, value, TAKES).map((item, index) => parseFormat(`${path}[${index}]`, item))
}

function parseFormat(path: string, item: unknown): ParsedFormat {
  const word = WORDS.find(one => one === item)
  if (word !== undefined) return { valuesOf: WRITERS[word], hasDates: word === 'haproxy' }
  if (typeof item !== 'object') throw new OptionError(path, item, TAKES)
  const { haproxy, caddy } = optionObject(path, item, ['haproxy', 'caddy'])
  if ((haproxy === undefined) === (caddy === undefined)) throw new OptionError(path, item, TAKES)
  if (caddy === undefined) {
    const key = secretOf(`${path}.haproxy`, haproxy, 'key')
    return { valuesOf: backend => [backend.id, ...dynamicCookie(backend, key)], hasDates: true }
  }
  const secret = secretOf(`${path}.caddy`, caddy, 'secret')
  return {
    valuesOf: ({ url }) => [createHmac('sha256', secret).update(dialAddress(url)).digest('hex')],
    hasDates: false,
  }
}

function secretOf(path: string, value: unknown, key: string): string {
  // What it is stays out of the message, also where it stands without the object around it.
  if (typeof value !== 'object' || value === null)
    throw new OptionError(path, undefined, '', `got ${redact(value)}; it takes an object with ${key}`)
  const secret = optionObject(path, value, [key])[key]
  // Caddy's may be empty, and is by default.
  if (typeof secret !== 'string')
    throw new OptionError(`${path}.${key}`, undefined, '', `got ${redact(secret)}; it takes a text`)
  return secret
}

const WRITERS: Readonly<Record<(typeof WORDS)[number], ParsedFormat['valuesOf']>> = {
  raw: ({ id }) => [id],
  haproxy: ({ id }) => [id],
  nginx: ({ url }) => [createHash('md5').update(socketAddress(url)).digest('hex')],
  traefik: ({ id, url }) =>
    [id, url.href, url.href.replace(/\/$/, '')].map(name =>
      createHash('sha256').update(name).digest('hex').slice(0, 16),
    ),
}

/** HAProxy's own buffer: the key, the address in 4 or 16 bytes, the port in 4. It resolves names; here it takes addresses. */
function dynamicCookie({ url }: Backend, key: string): string[] {
  const address = addressBytes(url.hostname)
  if (address === undefined) return []
  const port = Buffer.alloc(4)
  port.writeUInt32BE(portOf(url))
  const hash = xxHash64(Buffer.concat([Buffer.from(key), address, port]))
  return [hash.toString(16).padStart(16, '0')]
}

function socketAddress(url: URL): string {
  return url.protocol === 'unix:' ? `unix:${url.pathname}` : `${url.hostname}:${portOf(url)}`
}

function dialAddress(url: URL): string {
  return url.protocol === 'unix:' ? `unix/${url.pathname}` : `${url.hostname}:${portOf(url)}`
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
