import { createHash, createHmac } from 'node:crypto'
import { addressBytes } from '../../http/address-bytes.ts'
import type { BackendView } from '../../pool/backend-view.ts'
import { fnv1, fnv1a } from './fnv-hash.ts'
import { xxHash64 } from './xx-hash.ts'

/*
 * The values that other load balancers write for a backend, and the part of a cookie that is such a value. The prose
 * of each format is with the option (`foreign-format.ts`).
 */

/** A backend as a load balancer knew it. */
export type KnownBackend = Pick<BackendView, 'backend' | 'aliases'>

/** Its id and its aliases. */
export function namesOf({ backend, aliases }: KnownBackend): readonly string[] {
  return aliases.length === 0 ? [backend.id] : [backend.id, ...aliases]
}

/** HAProxy's own dates, unsigned. */
export function withoutDates(value: string): string {
  const bar = value.indexOf('|')
  return bar < 0 ? value : value.slice(0, bar)
}

/** The MD5 of its address. */
export function nginxValues({ backend }: KnownBackend): readonly string[] {
  return [md5(socketAddress(backend.url))]
}

/** HAProxy's own buffer: the key, the address in 4 or 16 bytes, the port in 4. It resolves names; here it takes addresses. */
export function dynamicCookies({ backend: { url } }: KnownBackend, key: string): readonly string[] {
  const address = addressBytes(url.hostname)
  if (address === undefined) return []
  const port = Buffer.alloc(4)
  port.writeUInt32BE(portOf(url))
  const hash = xxHash64(Buffer.concat([Buffer.from(key), address, port]))
  return [hash.toString(16).padStart(16, '0')]
}

/** Traefik hashes the text of the URL, which its providers write with the port, and people with or without. */
export function traefikValues(known: KnownBackend): readonly string[] {
  const { url } = known.backend
  const texts = [url.href, `${url.protocol}//${url.hostname}:${portOf(url)}`].map(text =>
    text.replace(/\/$/, ''),
  )
  const names = new Set([...namesOf(known), ...texts.flatMap(text => [text, `${text}/`])])
  return [...names].flatMap(name => [
    createHash('sha256').update(name).digest('hex').slice(0, 16),
    name,
    fnvText(name),
    fnvText(fnvText(name)),
    fnvText(fnv1a(name).toString(16).padStart(16, '0')),
  ])
}

function fnvText(text: string): string {
  return fnv1(text).toString(16)
}

/** An HMAC of its address. */
export function caddyValues({ backend }: KnownBackend, secret: string): readonly string[] {
  return [createHmac('sha256', secret).update(dialAddress(backend.url)).digest('hex')]
}

/** Its address. */
export function envoyValues({ backend }: KnownBackend): readonly string[] {
  return [socketAddress(backend.url)]
}

/** A message whose first field is the address, or the address alone; in quotes, as Envoy sets it. */
export function envoyAddress(value: string): string {
  const bytes = Buffer.from(value.replaceAll('"', ''), 'base64')
  const length = bytes[1] ?? 0
  return bytes[0] === 0x0a && length < 128 && bytes.length >= 2 + length
    ? bytes.toString('latin1', 2, 2 + length)
    : bytes.toString('latin1')
}

/** The salted hash of the endpoint, and behind a bar that of the backend's name; older versions wrote the first alone. */
export function ingressNginxValues({ backend }: KnownBackend, name: string): readonly string[] {
  const key = md5(`${name}${socketAddress(backend.url)}`)
  return [key, `${key}|${md5(`${md5(name)}${name}`)}`]
}

/** Hashes of its id and aliases. */
export function yarpValues(known: KnownBackend): readonly string[] {
  return namesOf(known).map(yarpHash)
}

/** .NET's XxHash64 gives bytes, so the text has all 16 digits. */
function yarpHash(id: string): string {
  return xxHash64(Buffer.from(id.toUpperCase(), 'utf16le')).toString(16).padStart(16, '0')
}

/** Hashes of its id and aliases. */
export function arrValues(known: KnownBackend): readonly string[] {
  return namesOf(known).map(arrHash)
}

function arrHash(id: string): string {
  return createHash('sha256').update(Buffer.from(id.toLowerCase(), 'utf16le')).digest('hex').toUpperCase()
}

/** With the default route domain, and without; a domain has a number, which is not read. */
export function bigIpValues({ backend: { url } }: KnownBackend): readonly string[] {
  const address = addressBytes(url.hostname)
  if (address === undefined) return []
  const port = portOf(url)
  const swapped = ((port & 255) << 8) | (port >> 8)
  if (address.length === 4) {
    const hex = address.toString('hex')
    return [`${address.readUInt32LE()}.${swapped}.0000`, `rdo${'0'.repeat(20)}ffff${hex}o${port}`]
  }
  return [`vi${address.toString('hex')}.${swapped}`, `rdo${address.toString('hex')}o${port}`]
}

/** A route domain has a number, which is not read. */
export function withoutRouteDomain(value: string): string {
  return value.replace(/^rd\d+o/, 'rdo')
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
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
