import {
  OptionError,
  optionBoolean,
  optionInteger,
  optionList,
  optionObject,
  optionOneOf,
} from '../options/option.ts'

/** Commanded by an operator (HAProxy's words). `drain` keeps its sessions and takes no new one; `maint` serves nobody. */
export type AdminState = 'ready' | 'drain' | 'maint'

/** One server that can answer. What never changes about it; what does is the pool's. */
export interface Backend {
  /** Its stable name: 1 to 64 of `A-Z a-z 0-9 _ -`. Sessions are tied to it, not to the address. */
  readonly id: string
  readonly url: URL
}

/** A backend as it is configured. */
export interface BackendOptions {
  readonly id: string
  /** `http://host:port`, `https://host:port` or `unix:/path/to.sock`. A path behind the port is refused: targets pass byte for byte. */
  readonly url: string | URL
  /** Share of new sessions beside the others', 0 to 256; 0 takes no new one and keeps its own. @default 1 */
  readonly weight?: number
  /** @default 'ready' */
  readonly state?: AdminState
  /** Takes new sessions only when no other can. @default false */
  readonly backup?: boolean
  /** Requests that it may have at one time; 0: any number. @default the pool's maxInFlight */
  readonly maxInFlight?: number
  /**
   * Other words for it in affinity keys, beside its id: HAProxy's `server … cookie WORD`, nginx's `route=`. Unlike every
   * id and alias of the pool, each 1 to 128 visible ASCII characters without `"`, `,`, `;` and `\`. @default []
   */
  readonly aliases?: readonly string[]
}

/** The same, complete and checked. */
export interface ParsedBackend extends Backend {
  readonly weight: number
  readonly state: AdminState
  readonly backup: boolean
  readonly maxInFlight: number | undefined
  readonly aliases: readonly string[]
}

export const ADMIN_STATES: readonly AdminState[] = ['ready', 'drain', 'maint']
const KEYS: readonly string[] = [
  'id',
  'url',
  'weight',
  'state',
  'backup',
  'maxInFlight',
  'aliases',
] satisfies (keyof BackendOptions)[]

/** Narrow on purpose: an id stands in cookies, headers, logs and metric labels. */
const ID = /^[A-Za-z0-9_-]{1,64}$/

/** What may stand in the value of a cookie (RFC 6265 §4.1.1). */
const ALIAS = /^[\u0021\u0023-\u002B\u002D-\u003A\u003C-\u005B\u005D-\u007E]{1,128}$/
export const UNIQUE_ALIAS = 'a word that is no id and no other alias in the pool'
const NO_ALIASES: readonly string[] = []

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseBackend(path: string, value: unknown): ParsedBackend {
  const options = optionObject(path, value, KEYS)
  const { id } = options
  if (typeof id !== 'string' || !ID.test(id)) {
    throw new OptionError(`${path}.id`, id, '1 to 64 of the characters A-Z a-z 0-9 _ -')
  }
  return {
    id,
    url: parseUrl(`${path}.url`, options['url']),
    weight: parseWeight(`${path}.weight`, options['weight']),
    state: parseState(`${path}.state`, options['state']),
    backup: optionBoolean(`${path}.backup`, options['backup'], false),
    maxInFlight:
      options['maxInFlight'] === undefined
        ? undefined
        : parseMaxInFlight(`${path}.maxInFlight`, options['maxInFlight']),
    aliases: parseAliases(`${path}.aliases`, options['aliases']),
  }
}

/** @throws OptionError for a malformed one, or an id that stands twice. */
export function parseBackends(path: string, value: unknown): readonly ParsedBackend[] {
  const ids = new Set<string>()
  const backends = optionList(path, value, 'a list of { id, url }').map((item, index) => {
    const parsed = parseBackend(`${path}[${index}]`, item)
    if (ids.has(parsed.id))
      throw new OptionError(`${path}[${index}].id`, parsed.id, 'an id that no other backend of the pool has')
    ids.add(parsed.id)
    return parsed
  })
  checkAliases(path, backends, ids)
  return backends
}

/** @throws OptionError for an alias that is the id, or an alias, of another backend. */
function checkAliases(path: string, backends: readonly ParsedBackend[], ids: ReadonlySet<string>): void {
  const taken = new Set(ids)
  for (const [index, { aliases }] of backends.entries()) {
    for (const [at, alias] of aliases.entries()) {
      if (taken.has(alias)) throw new OptionError(`${path}[${index}].aliases[${at}]`, alias, UNIQUE_ALIAS)
      taken.add(alias)
    }
  }
}

function parseAliases(path: string, value: unknown): readonly string[] {
  if (value === undefined) return NO_ALIASES
  return optionList(path, value, 'a list of words').map((item, index) => {
    if (typeof item !== 'string' || !ALIAS.test(item))
      throw new OptionError(
        `${path}[${index}]`,
        item,
        '1 to 128 visible ASCII characters without ", comma, semicolon and backslash',
      )
    return item
  })
}

export function parseWeight(path: string, value: unknown): number {
  return optionInteger(path, value, 1, 0, 256)
}

/** 0: any number. */
export function parseMaxInFlight(path: string, value: unknown): number {
  return optionInteger(path, value, 0, 0, 1_000_000)
}

function parseState(path: string, value: unknown): AdminState {
  return optionOneOf(path, value, 'ready', ADMIN_STATES)
}

function parseUrl(path: string, value: unknown): URL {
  const takes =
    'http://host:port, https://host:port or unix:/path/to.sock, without path, query or credentials'
  const url =
    value instanceof URL
      ? value
      : typeof value === 'string' && URL.canParse(value)
        ? new URL(value)
        : undefined
  if (url === undefined) throw new OptionError(path, value, takes)
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  const http = (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/'
  const unix = url.protocol === 'unix:' && url.host === '' && isFilePath(url.pathname)
  if (!plain || !(http || unix)) throw new OptionError(path, withoutCredentials(url), takes)
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
