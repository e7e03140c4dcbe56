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
import {
  arrValues,
  bigIpValues,
  caddyValues,
  dynamicCookies,
  envoyAddress,
  envoyValues,
  ingressNginxValues,
  namesOf,
  nginxValues,
  traefikValues,
  withoutDates,
  withoutRouteDomain,
  yarpValues,
  type KnownBackend,
} from './load-balancer-values.ts'

/** A format, ready to compute the values of its load balancer. */
export interface ParsedFormat {
  readonly valuesOf: (known: KnownBackend) => readonly string[]
  /** The part of a cookie that names the backend. Absent: all of it. */
  readonly keyOf?: (value: string) => string
}

const FORMATS = {
  raw: { valuesOf: namesOf },
  haproxy: { valuesOf: namesOf, keyOf: withoutDates },
  nginx: { valuesOf: nginxValues },
  traefik: { valuesOf: traefikValues },
  envoy: { valuesOf: envoyValues, keyOf: envoyAddress },
  yarp: { valuesOf: yarpValues },
  arr: { valuesOf: arrValues },
  f5: { valuesOf: bigIpValues, keyOf: withoutRouteDomain },
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
        valuesOf: known => [...namesOf(known), ...dynamicCookies(known, key)],
        keyOf: withoutDates,
      }
    }
    case 'caddy': {
      const { secret } = format.value
      return { valuesOf: known => caddyValues(known, secret) }
    }
    case 'ingressNginx': {
      const { name } = format.value
      return { valuesOf: known => ingressNginxValues(known, name) }
    }
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
