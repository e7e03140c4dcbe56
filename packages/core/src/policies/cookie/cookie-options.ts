import { type Duration, durationMs } from '../../options/duration.ts'
import { OptionError, optionBoolean, optionList, optionObject, optionOneOf } from '../../options/option.ts'
import { TOKEN } from '../../http/token.ts'
import { type ForeignFormat, type ParsedFormat, parseForeignFormats } from './foreign-format.ts'

/** The `cookie` policy as it is configured. HAProxy's word for an option is given where it has one. */
export interface CookiePolicyOptions {
  /** @default 'SERVERID' */
  readonly name?: string
  /** Read and written only under this path (RFC 6265 §5.1.4). @default '/' */
  readonly path?: string
  /** @default absent: the host that answered */
  readonly domain?: string
  /** @default true */
  readonly httpOnly?: boolean
  /** `auto`: when the client came by TLS, to us or to a trusted proxy. @default 'auto' */
  readonly secure?: boolean | 'auto'
  /** `none` and `partitioned` need `secure: true`. @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | 'none' | 'omit'
  /** @default false */
  readonly partitioned?: boolean
  /** Refused after this long without a request; signed. 0: never. (maxidle) @default 0 */
  readonly maxIdle?: Duration
  /** Refused this long after it was issued; signed. 0: never. (maxlife) @default '24h' */
  readonly maxLife?: Duration
  /** Also Max-Age and Expires, so that it outlives the browser. @default false */
  readonly persistent?: boolean
  /** The backend never sees it. (indirect) @default true */
  readonly strip?: boolean
  /** A cacheable answer that sets it becomes private. (nocache) @default true */
  readonly noCache?: boolean
  /** A cookie of this name that the application sets is left alone. (preserve) @default false */
  readonly preserve?: boolean
  /** Written on answers to these methods only; empty: all. (postonly) @default [] */
  readonly onlyMethods?: readonly string[]
  /** A keyed tag stands for the backend; false: its id, readable. @default true */
  readonly opaque?: boolean
  /** Foreign values that are taken once and re-issued, to move in without losing a session. @default [] */
  readonly accept?: readonly ForeignFormat[]
}

/** The same, complete and checked. */
export interface CookieOptions {
  readonly name: string
  readonly path: string
  readonly domain: string | undefined
  readonly httpOnly: boolean
  readonly secure: boolean | 'auto'
  readonly sameSite: 'lax' | 'strict' | 'none' | 'omit'
  readonly partitioned: boolean
  readonly maxIdleMs: number
  readonly maxLifeMs: number
  readonly persistent: boolean
  readonly strip: boolean
  readonly noCache: boolean
  readonly preserve: boolean
  readonly onlyMethods: ReadonlySet<string>
  readonly opaque: boolean
  readonly accept: readonly ParsedFormat[]
}

const KEYS: readonly string[] = [
  'name',
  'path',
  'domain',
  'httpOnly',
  'secure',
  'sameSite',
  'partitioned',
  'maxIdle',
  'maxLife',
  'persistent',
  'strip',
  'noCache',
  'preserve',
  'onlyMethods',
  'opaque',
  'accept',
] satisfies (keyof CookiePolicyOptions)[]

/** The longest life that browsers accept for a cookie (draft-ietf-httpbis-rfc6265bis §5.5). */
const MAX_MS = 400 * 86_400_000
/** RFC 6265 §4.1.1: any character but controls and ";", and a comma would split joined lines. */
const PATH = /^\/[\x21-\x2b\x2d-\x3a\x3c-\x7e]{0,1023}$/
const DOMAIN = /^\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseCookieOptions(path: string, value: unknown): CookieOptions {
  const given = optionObject(path, value, KEYS)
  const at = (key: string): string => `${path}.${key}`
  const options: CookieOptions = {
    name: text(at('name'), given['name'], 'SERVERID', TOKEN, 'a token (RFC 9110 §5.6.2)'),
    path: text(
      at('path'),
      given['path'],
      '/',
      PATH,
      'a path that begins with /, of visible characters without , and ;',
    ),
    domain:
      given['domain'] === undefined
        ? undefined
        : text(at('domain'), given['domain'], '', DOMAIN, 'a domain name'),
    httpOnly: optionBoolean(at('httpOnly'), given['httpOnly'], true),
    secure: optionOneOf(at('secure'), given['secure'], 'auto', ['auto', true, false]),
    sameSite: optionOneOf(at('sameSite'), given['sameSite'], 'lax', ['lax', 'strict', 'none', 'omit']),
    partitioned: optionBoolean(at('partitioned'), given['partitioned'], false),
    maxIdleMs: durationMs(at('maxIdle'), given['maxIdle'], 0, MAX_MS),
    maxLifeMs: durationMs(at('maxLife'), given['maxLife'], '24h', MAX_MS),
    persistent: optionBoolean(at('persistent'), given['persistent'], false),
    strip: optionBoolean(at('strip'), given['strip'], true),
    noCache: optionBoolean(at('noCache'), given['noCache'], true),
    preserve: optionBoolean(at('preserve'), given['preserve'], false),
    onlyMethods: methods(at('onlyMethods'), given['onlyMethods']),
    opaque: optionBoolean(at('opaque'), given['opaque'], true),
    accept: parseForeignFormats(at('accept'), given['accept']),
  }
  refuseContradictions(at, options)
  return options
}

function refuseContradictions(at: (key: string) => string, options: CookieOptions): void {
  const { name, secure, httpOnly, sameSite, partitioned, persistent, maxIdleMs, maxLifeMs, path, domain } =
    options
  if (sameSite === 'none' && secure !== true)
    throw new OptionError(at('sameSite'), sameSite, 'none only with secure: true')
  if (partitioned && secure !== true)
    throw new OptionError(at('partitioned'), partitioned, 'true only with secure: true')
  if (persistent && maxIdleMs === 0 && maxLifeMs === 0) {
    throw new OptionError(at('persistent'), persistent, 'true only with a maxIdle or a maxLife to last for')
  }
  for (const [key, ms] of [
    ['maxIdle', maxIdleMs],
    ['maxLife', maxLifeMs],
  ] as const) {
    if (ms > 0 && ms < 1000)
      throw new OptionError(at(key), `${ms}ms`, '0, or at least 1s: the value carries whole seconds')
  }
  // Browsers hold these names to their promise (draft-ietf-httpbis-rfc6265bis §4.1.3), and drop the cookie otherwise.
  if (/^__(?:host|secure|http)-/i.test(name) && secure !== true)
    throw new OptionError(at('name'), name, 'this prefix only with secure: true')
  if (/^__(?:host-)?http-/i.test(name) && !httpOnly)
    throw new OptionError(at('name'), name, 'this prefix only with httpOnly: true')
  if (/^__host-/i.test(name) && (path !== '/' || domain !== undefined)) {
    throw new OptionError(at('name'), name, 'this prefix only with path: "/" and no domain')
  }
}

function text(path: string, value: unknown, fallback: string, pattern: RegExp, takes: string): string {
  if (value === undefined) return fallback
  if (typeof value !== 'string' || !pattern.test(value)) throw new OptionError(path, value, takes)
  return value
}

function methods(path: string, value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set()
  const takes = 'a list of methods in capitals, as ["POST"]'
  const list = optionList(path, value, takes)
  return new Set(
    list.map((item, index) => text(`${path}[${index}]`, item ?? null, '', /^[A-Z]{1,20}$/, takes)),
  )
}
