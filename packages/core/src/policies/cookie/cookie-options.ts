import { OptionError } from '../../options/option.ts'
import { list } from '../../options/composed-kinds.ts'
import { duration } from '../../options/duration-kind.ts'
import { boolean, text, word } from '../../options/plain-kinds.ts'
import { type OptionsOf, optionTable, type ParsedOptions } from '../../options/option-table.ts'
import { TOKEN } from '../../http/token.ts'
import { FOREIGN_FORMATS, type ParsedFormat } from './foreign-format.ts'

/** The longest life that browsers accept for a cookie (draft-ietf-httpbis-rfc6265bis §5.5). */
const MAX_MS = 400 * 86_400_000
/** RFC 6265 §4.1.1: any character but controls and ";", and a comma would split joined lines. */
const PATH = /^\/[\x21-\x2b\x2d-\x3a\x3c-\x7e]{0,1023}$/
const DOMAIN = /^\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/

const METHODS = 'a list of methods in capitals, as ["POST"]'

/** The `cookie` policy. HAProxy's word for an option is given where it has one. */
export const COOKIE_OPTIONS = optionTable(
  {
    /** The cookie's name. @default 'SERVERID' */
    name: text({ pattern: TOKEN, takes: 'a token (RFC 9110 §5.6.2)', default: 'SERVERID' }),
    /** The cookie is read and written only under this path (RFC 6265 §5.1.4). @default '/' */
    path: text({
      pattern: PATH,
      takes: 'a path that begins with /, of visible characters without , and ;',
      default: '/',
    }),
    /** Its Domain. @default absent: the host of the request */
    domain: text({ pattern: DOMAIN, takes: 'a domain name' }),
    /** Its HttpOnly. @default true */
    httpOnly: boolean({ default: true }),
    /** Its Secure; `auto`: when the client came by TLS, to the gateway or to a trusted proxy. @default 'auto' */
    secure: word(['auto', true, false], { default: 'auto' }),
    /** Its SameSite. `none` and `partitioned` need `secure: true`. @default 'lax' */
    sameSite: word(['lax', 'strict', 'none', 'omit'], { default: 'lax' }),
    /** Its Partitioned. @default false */
    partitioned: boolean({ default: false }),
    /** Refused after this long without a request; signed. 0: never. (maxidle) @default 0 */
    maxIdle: duration({ max: MAX_MS, default: 0 }),
    /** Refused this long after it was issued; signed. 0: never. (maxlife) @default '24h' */
    maxLife: duration({ max: MAX_MS, default: '24h' }),
    /** Also Max-Age and Expires, so that it outlives the browser. @default false */
    persistent: boolean({ default: false }),
    /** The backend never sees it. (indirect) @default true */
    strip: boolean({ default: true }),
    /** A cacheable response that sets it becomes private. (nocache) @default true */
    noCache: boolean({ default: true }),
    /** A cookie of this name that the application sets is left alone. (preserve) @default false */
    preserve: boolean({ default: false }),
    /** Written on responses to these methods only. Empty: all. (postonly) @default [] */
    onlyMethods: list(text({ pattern: /^[A-Z]{1,20}$/, takes: METHODS }), { takes: METHODS, default: [] }),
    /** A keyed tag stands for the backend. False: its id, readable. @default true */
    opaque: boolean({ default: true }),
    /** Values of another load balancer that are taken once and re-issued, to move in without losing a session. @default [] */
    accept: FOREIGN_FORMATS,
  },
  contradictions,
)

export interface CookiePolicyOptions extends OptionsOf<typeof COOKIE_OPTIONS> {}

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

/** @throws OptionError with every problem */
export function parseCookieOptions(path: string, value: unknown): CookieOptions {
  return cookieOptions(COOKIE_OPTIONS.parse(path, value))
}

/** Of checked options. */
function cookieOptions({
  maxIdle,
  maxLife,
  onlyMethods,
  ...rest
}: ParsedOptions<typeof COOKIE_OPTIONS.options>): CookieOptions {
  return { ...rest, maxIdleMs: maxIdle, maxLifeMs: maxLife, onlyMethods: new Set(onlyMethods) }
}

interface Checked {
  readonly name: string
  readonly path: string
  readonly domain: string | undefined
  readonly httpOnly: boolean
  readonly secure: boolean | 'auto'
  readonly sameSite: string
  readonly partitioned: boolean
  readonly maxIdle: number
  readonly maxLife: number
  readonly persistent: boolean
}

function* contradictions(checked: Checked, at: (key: keyof Checked) => string): Generator<OptionError> {
  const { name, secure, httpOnly, sameSite, partitioned, persistent, path, domain } = checked
  if (sameSite === 'none' && secure !== true)
    yield new OptionError(at('sameSite'), sameSite, 'none only with secure: true')
  if (partitioned && secure !== true)
    yield new OptionError(at('partitioned'), partitioned, 'true only with secure: true')
  if (persistent && checked.maxIdle === 0 && checked.maxLife === 0)
    yield new OptionError(at('persistent'), persistent, 'true only with a maxIdle or a maxLife to last for')
  for (const key of ['maxIdle', 'maxLife'] as const) {
    const ms = checked[key]
    if (ms > 0 && ms < 1000)
      yield new OptionError(at(key), `${ms}ms`, '0, or at least 1s: the value carries whole seconds')
  }
  // Browsers hold these names to their promise (draft-ietf-httpbis-rfc6265bis §4.1.3), and drop the cookie otherwise.
  if (/^__(?:host|secure|http)-/i.test(name) && secure !== true)
    yield new OptionError(at('name'), name, 'this prefix only with secure: true')
  if (/^__(?:host-)?http-/i.test(name) && !httpOnly)
    yield new OptionError(at('name'), name, 'this prefix only with httpOnly: true')
  if (/^__host-/i.test(name) && (path !== '/' || domain !== undefined))
    yield new OptionError(at('name'), name, 'this prefix only with path: "/" and no domain')
}
