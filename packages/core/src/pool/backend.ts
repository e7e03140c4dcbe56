import { list } from '../options/composed-kinds.ts'
import { boolean, integer, text, word } from '../options/plain-kinds.ts'
import { needed, type OptionKind, parsed, parseOption } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, table } from '../options/option-table.ts'
import { isRecord, OptionError } from '../options/option.ts'

/** An operator's command (HAProxy's words). `drain` keeps its sessions and takes no new one; `maint` takes no request. */
export type AdminState = 'ready' | 'drain' | 'maint'

/** One server of a pool: the facts that never change. Its changing state is a `BackendView`. */
export interface Backend {
  /** Its stable name: 1 to 64 of `A-Z a-z 0-9 _ -`. Sessions are tied to it, not to the address. */
  readonly id: string
  readonly url: URL
}

/** Narrow on purpose: an id stands in cookies, headers, logs and metric labels. */
const ID = /^[A-Za-z0-9_-]{1,64}$/
/** The characters that the value of a cookie may contain (RFC 6265 §4.1.1). */
const ALIAS = /^[\u0021\u0023-\u002B\u002D-\u003A\u003C-\u005B\u005D-\u007E]{1,128}$/
export const UNIQUE_ALIAS = 'a word that is no id and no other alias in the pool'
const URL_TAKES =
  'http://host:port, https://host:port or unix:/path/to.sock, with a base path or without, and without query or credentials'
const IN_FLIGHT = { min: 0, max: 1_000_000 }
const WEIGHT = integer({ min: 0, max: 256, default: 1 })
export const ADMIN_STATES = ['ready', 'drain', 'maint'] as const satisfies readonly AdminState[]

/** A backend as it is configured. */
const BACKEND_OPTIONS = optionTable({
  /** Its stable name, 1 to 64 of `A-Z a-z 0-9 _ -`. Sessions are tied to it: a new address under an old id keeps them. */
  id: needed(text({ pattern: ID, takes: '1 to 64 of the characters A-Z a-z 0-9 _ -' })),
  /** `http://host:port`, `https://host:port` or `unix:/path/to.sock`, with a base path or without; it is put before each request target. */
  url: needed(parsed<string | URL, URL>(URL_TAKES, parseUrl, { type: 'string', minLength: 1 })),
  /** Its share of new sessions. 0: it takes no new session and keeps its own. @default 1 */
  weight: WEIGHT,
  /** `drain` keeps its sessions and takes no new one. `maint` takes no request. @default 'ready' */
  state: word(ADMIN_STATES, { default: 'ready' }),
  /** Takes new sessions only when no other backend can. A session that has gone there stays, unless `returnFromBackup` is set. @default false */
  backup: boolean({ default: false }),
  /** Requests that it may have at one time. 0: any number. @default the pool's `maxInFlight` */
  maxInFlight: integer(IN_FLIGHT),
  /**
   * Other words for it in affinity keys, beside its id: HAProxy's `server … cookie WORD`, nginx's `route=`. Unlike every
   * id and alias of the pool, each 1 to 128 visible ASCII characters without `"`, `,`, `;` and `\`. @default []
   */
  aliases: list(
    text({
      pattern: ALIAS,
      takes: '1 to 128 visible ASCII characters without ", comma, semicolon and backslash',
    }),
    { takes: 'a list of words', default: [] },
  ),
})

export interface BackendOptions extends OptionsOf<typeof BACKEND_OPTIONS> {}

/** A list of backends: each id and each alias stands for one of them. */
export const BACKENDS: OptionKind<readonly BackendOptions[], readonly ParsedBackend[] | undefined, false> =
  list(table(BACKEND_OPTIONS), { takes: 'a list of { id, url }', between: taken })

function* taken(path: string, items: readonly unknown[]): Generator<OptionError> {
  const known = new Set<unknown>()
  for (const [index, item] of items.entries()) {
    const id = isRecord(item) ? item['id'] : undefined
    if (known.has(id))
      yield new OptionError(`${path}[${index}].id`, id, 'an id that no other backend of the pool has')
    if (id !== undefined) known.add(id)
  }
  for (const [index, item] of items.entries()) {
    const aliases: unknown = isRecord(item) ? item['aliases'] : undefined
    for (const [at, alias] of Array.isArray(aliases) ? aliases.entries() : []) {
      if (known.has(alias)) yield new OptionError(`${path}[${index}].aliases[${at}]`, alias, UNIQUE_ALIAS)
      known.add(alias)
    }
  }
}

/** The same, complete and checked. */
export interface ParsedBackend extends Backend {
  readonly weight: number
  readonly state: AdminState
  readonly backup: boolean
  readonly maxInFlight: number | undefined
  readonly aliases: readonly string[]
}

/** @throws OptionError with every problem */
export function parseBackend(path: string, value: unknown): ParsedBackend {
  return BACKEND_OPTIONS.parse(path, value)
}

/** @throws OptionError for a malformed backend, or an id that stands twice */
export function parseBackends(path: string, value: unknown): readonly ParsedBackend[] {
  return parseOption(needed(BACKENDS), path, value)
}

export function parseWeight(path: string, value: unknown): number {
  return parseOption(WEIGHT, path, value)
}

/** 0: any number. */
export const MAX_IN_FLIGHT = integer({ ...IN_FLIGHT, default: 0 })

function parseUrl(path: string, value: unknown): URL {
  const url =
    value instanceof URL
      ? value
      : typeof value === 'string' && URL.canParse(value)
        ? new URL(value)
        : undefined
  if (url === undefined) throw new OptionError(path, value, URL_TAKES)
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  const http = (url.protocol === 'http:' || url.protocol === 'https:') && !url.pathname.includes('//')
  const unix = url.protocol === 'unix:' && url.host === '' && isFilePath(url.pathname)
  if (!plain || !(http || unix)) throw new OptionError(path, withoutCredentials(url), URL_TAKES)
  return url
}

/** Of a socket: escapes that stand for characters, and not for a NUL, which ends a path. */
function isFilePath(pathname: string): boolean {
  try {
    const path = decodeURIComponent(pathname)
    return path.length > 1 && !path.includes('\0')
  } catch {
    return false
  }
}

/** Errors are logged. */
function withoutCredentials(url: URL): string {
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '***'
  return shown.href
}
