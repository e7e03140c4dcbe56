import { createHash, createHmac } from 'node:crypto'
import type { Backend } from '../../pool/backend.ts'
import type { BackendView } from '../../pool/backend-view.ts'
import { OptionError, redact } from '../../options/option.ts'
import {
  compiled,
  needed,
  type OptionKind,
  type OutOf,
  parsed,
  parseOption,
} from '../../options/option-kind.ts'
import { either, list, oneOf } from '../../options/composed-kinds.ts'
import { word } from '../../options/plain-kinds.ts'
import { type OptionsOf, optionTable, table } from '../../options/option-table.ts'
import { addressBytes } from '../../http/address-bytes.ts'
import { fnv1, fnv1a } from './fnv-hash.ts'
import { xxHash64 } from './xx-hash.ts'

/** A backend as a load balancer knew it. */
export type KnownBackend = Pick<BackendView, 'backend' | 'aliases'>

/** A format, ready to compute the values of its load balancer. */
export interface ParsedFormat {
  readonly valuesOf: (known: KnownBackend) => readonly string[]
  /** The part of a cookie that names the backend. Absent: all of it. */
  readonly keyOf?: (value: string) => string
}

const FORMATS = {
  raw: { valuesOf: namesOf },
  haproxy: { valuesOf: namesOf, keyOf: withoutDates },
  nginx: { valuesOf: ({ backend }) => [md5(socketAddress(backend.url))] },
  traefik: { valuesOf: traefikValues },
  envoy: { valuesOf: ({ backend }) => [socketAddress(backend.url)], keyOf: envoyAddress },
  yarp: { valuesOf: known => namesOf(known).map(yarpHash) },
  arr: { valuesOf: known => namesOf(known).map(arrHash) },
  f5: { valuesOf: ({ backend }) => bigIpValues(backend.url), keyOf: withoutRouteDomain },
} satisfies Readonly<Record<string, ParsedFormat>>

const WORDS = Object.keys(FORMATS) as readonly (keyof typeof FORMATS)[]

const HAPROXY_FORMAT = optionTable({
  /** HAProxy's `dynamic-cookie-key`. */
  key: needed(hiddenText()),
})

export interface HaproxyFormat extends OptionsOf<typeof HAPROXY_FORMAT> {}

const CADDY_FORMAT = optionTable({
  /** The secret of Caddy's `lb_policy cookie`. It may be empty, as it is by default. */
  secret: needed(hiddenText()),
})

export interface CaddyFormat extends OptionsOf<typeof CADDY_FORMAT> {}

const INGRESS_NGINX_FORMAT = optionTable({
  /** The backend's name in ingress-nginx, as `namespace-service-port`. */
  name: needed(hiddenText()),
})

export interface IngressNginxFormat extends OptionsOf<typeof INGRESS_NGINX_FORMAT> {}

const OBJECTS = oneOf({
  haproxy: table(HAPROXY_FORMAT),
  caddy: table(CADDY_FORMAT),
  ingressNginx: table(INGRESS_NGINX_FORMAT),
})

const FORMAT = either({
  plain: word(WORDS, { takes: `one of ${WORDS.join(', ')}, or ${OBJECTS.takes}` }),
  object: OBJECTS,
})

const PARSED_FORMAT: OptionKind<ForeignFormat, ParsedFormat | undefined, false> = compiled(
  FORMAT,
  parsedFormat,
)

/**
 * Values that another load balancer wrote, and that are taken once on the way in. An id stands for its aliases, too.
 * - `raw`: the backend's id.
 * - `haproxy`: `cookie … insert`, the id, with or without the dates of maxidle and maxlife: `s1|…|…`. With a `key`
 *   also `cookie … insert dynamic`: XXH64 of `dynamic-cookie-key`, address and port.
 * - `nginx`: `sticky cookie`, the MD5 of `address:port`.
 * - `traefik`: the first 16 digits of the SHA-256 of the server's name, which is the id here, or its URL, with or
 *   without a default port. Also what Traefik wrote up to 3.3.3: FNV hashes of these, and the name itself.
 * - `caddy`: `lb_policy cookie`, the HMAC-SHA256 of the upstream's `address:port` under its `secret`.
 * - `envoy`: the stateful session cookie of Envoy, Istio and Envoy Gateway, base64 of `address:port`, with or without
 *   the expiry of the newer form.
 * - `ingressNginx`: `affinity-mode: persistent` of ingress-nginx, whose `name` is `namespace-service-port`.
 * - `yarp`: the HashCookie policy of YARP, XXH64 of the destination's id, which is the id here.
 * - `arr`: the ArrCookie policy of YARP, and IIS ARR: SHA-256 of the id.
 * - `f5`: BIG-IP's cookie, the address and the port as numbers, not encrypted. (F5 K6917)
 *
 * The price: except for Caddy's they prove nothing, so a client that knows an id or an address can choose that backend.
 * Dates prove nothing either, and are not read. Take the option out when the last session from before has ended.
 */
export const FOREIGN_FORMATS = list(PARSED_FORMAT, {
  takes: `a list of ${WORDS.join(', ')}, { haproxy: { key } }, { caddy: { secret } } and { ingressNginx: { name } }`,
  default: [],
})

/** A format by its name, or with the values that it needs. Named types, so that editors show their prose. */
export type ForeignFormat =
  | keyof typeof FORMATS
  | {
      /** `cookie … insert dynamic` of HAProxy, and the formats of `'haproxy'`. */
      readonly haproxy: HaproxyFormat
    }
  | {
      /** `lb_policy cookie` of Caddy. */
      readonly caddy: CaddyFormat
    }
  | {
      /** `affinity-mode: persistent` of ingress-nginx. */
      readonly ingressNginx: IngressNginxFormat
    }

/** @throws OptionError with every problem */
export function parseForeignFormats(path: string, value: unknown): readonly ParsedFormat[] {
  return parseOption(FOREIGN_FORMATS, path, value)
}

function parsedFormat(format: Exclude<OutOf<typeof FORMAT>, undefined>): ParsedFormat {
  if (typeof format === 'string') return FORMATS[format]
  switch (format.key) {
    case 'haproxy': {
      const { key } = format.value
      return {
        valuesOf: known => [...namesOf(known), ...dynamicCookie(known.backend, key)],
        keyOf: withoutDates,
      }
    }
    case 'caddy': {
      const { secret } = format.value
      return {
        valuesOf: ({ backend }) => [
          createHmac('sha256', secret).update(dialAddress(backend.url)).digest('hex'),
        ],
      }
    }
    case 'ingressNginx':
      return ingressNginx(format.value.name)
  }
}

/** A text that stays out of every message: it may be a secret. */
function hiddenText(): OptionKind<string, string, false> {
  const takes = 'a text'
  return parsed<string, string>(
    takes,
    (path, value) => {
      if (typeof value === 'string') return value
      throw new OptionError(path, undefined, '', `got ${redact(value)}; it takes ${takes}`)
    },
    { type: 'string' },
  )
}

function namesOf({ backend, aliases }: KnownBackend): readonly string[] {
  return aliases.length === 0 ? [backend.id] : [backend.id, ...aliases]
}

/** HAProxy's own dates, unsigned. */
function withoutDates(value: string): string {
  const bar = value.indexOf('|')
  return bar < 0 ? value : value.slice(0, bar)
}

/** Traefik hashes the text of the URL, which its providers write with the port, and people with or without. */
function traefikValues(known: KnownBackend): readonly string[] {
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

/** .NET's XxHash64 gives bytes, so the text has all 16 digits. */
function yarpHash(id: string): string {
  return xxHash64(Buffer.from(id.toUpperCase(), 'utf16le')).toString(16).padStart(16, '0')
}

function arrHash(id: string): string {
  return createHash('sha256').update(Buffer.from(id.toLowerCase(), 'utf16le')).digest('hex').toUpperCase()
}

/** A message whose first field is the address, or the address alone; in quotes, as Envoy sets it. */
function envoyAddress(value: string): string {
  const bytes = Buffer.from(value.replaceAll('"', ''), 'base64')
  const length = bytes[1] ?? 0
  return bytes[0] === 0x0a && length < 128 && bytes.length >= 2 + length
    ? bytes.toString('latin1', 2, 2 + length)
    : bytes.toString('latin1')
}

/** The salted hash of the endpoint, and behind a bar that of the backend's name; older versions wrote the first alone. */
function ingressNginx(name: string): ParsedFormat {
  const own = md5(`${md5(name)}${name}`)
  return {
    valuesOf({ backend }) {
      const key = md5(`${name}${socketAddress(backend.url)}`)
      return [key, `${key}|${own}`]
    },
  }
}

/** With the default route domain, and without; a domain has a number, which is not read. */
function bigIpValues(url: URL): readonly string[] {
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

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

function withoutRouteDomain(value: string): string {
  return value.replace(/^rd\d+o/, 'rdo')
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
