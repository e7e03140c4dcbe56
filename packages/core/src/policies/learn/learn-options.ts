import { OptionError, optionList } from '../../options/option.ts'
import { duration } from '../../options/duration-kind.ts'
import { integer, text } from '../../options/plain-kinds.ts'
import { codeOnly, parsed } from '../../options/option-kind.ts'
import { type OptionsOf, optionTable, type ParsedOptions } from '../../options/option-table.ts'
import { TOKEN } from '../../http/token.ts'
import {
  FIELD_KINDS,
  type FieldKind,
  type FieldReader,
  fieldReader,
  parseRequestField,
  type RequestField,
} from '../../http/request-field.ts'
import type { AffinityStore, SharedStore } from '../store/store.ts'

const MAX_MS = 400 * 86_400_000
const STORE = 'an object with get, set and delete, or one with open'
const LOOKUP = 'a list of header, query, cookie, path-parameter, or one of them with a name, as "query:sid"'

/** The `learn` policy. nginx's word for an option is given where it has one. */
export const LEARN_OPTIONS = optionTable(
  {
    /** The cookie in which the application gives out session ids. (create) */
    cookie: text({ pattern: TOKEN, takes: 'the name of a cookie, a token (RFC 9110 §5.6.2)' }),
    /** Or the header field, as `Mcp-Session-Id`. (create) */
    header: text({ pattern: TOKEN, takes: 'the name of a header, a token (RFC 9110 §5.6.2)' }),
    /** Where requests carry the id: a kind alone for the same name, or a kind and a name, as `'query:sid'`. (lookup) @default where it was given out */
    lookup: parsed<readonly (FieldKind | RequestField)[], Lookup | undefined>(LOOKUP, parseLookup, {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
    }),
    /** Forgotten after this long without a response in its session. (timeout) @default '1h' */
    ttl: duration({ min: 1000, max: MAX_MS, default: '1h' }),
    /** Sessions that the embedded store remembers at most. (zone) @default 100000 */
    maxEntries: integer({ min: 1, max: 16_000_000 }),
    /** A store that several gateways share, or a `MemoryStore` that outlives this one. (sync) @default the embedded one, in this process */
    store: codeOnly(
      parsed<AffinityStore | SharedStore, AffinityStore | SharedStore | undefined>(STORE, parseStore),
    ),
    /** How long a lookup in such a store may take; then the session counts as unknown. @default '1s' */
    timeout: codeOnly(duration({ min: 1 })),
  },
  function* ({ cookie, header, maxEntries, store, timeout }, at) {
    if ((cookie === undefined) === (header === undefined))
      yield new OptionError(at(), {}, 'either cookie or header')
    if (store === undefined && timeout !== undefined)
      yield new OptionError(at('timeout'), timeout, 'a duration only with a store')
    if (store !== undefined && isShared(store) && timeout !== undefined)
      yield new OptionError(at('timeout'), timeout, 'no value here: this store has its own deadline')
    if (store !== undefined && maxEntries !== undefined)
      yield new OptionError(at('maxEntries'), maxEntries, 'a number only without a store')
  },
)

export interface LearnPolicyOptions extends OptionsOf<typeof LEARN_OPTIONS> {}

/** The same, complete and checked. */
export interface LearnOptions {
  readonly kind: 'cookie' | 'header'
  readonly name: string
  readonly lookups: readonly FieldReader[]
  readonly ttlMs: number
  readonly maxEntries: number
  readonly store: AffinityStore | SharedStore | undefined
  readonly timeoutMs: number
}

const DEFAULT_MAX_ENTRIES = 100_000
const DEFAULT_TIMEOUT_MS = 1000

/** @throws OptionError with every problem */
export function parseLearnOptions(path: string, value: unknown): LearnOptions {
  return learnOptions(LEARN_OPTIONS.parse(path, value))
}

/** Of checked options. */
function learnOptions(checked: ParsedOptions<typeof LEARN_OPTIONS.options>): LearnOptions {
  const { cookie, header, lookup = sameField, ttl, store, timeout, maxEntries } = checked
  const kind = header === undefined ? 'cookie' : 'header'
  const name = cookie ?? header ?? ''
  return {
    kind,
    name,
    lookups: lookup(kind, name),
    ttlMs: ttl,
    maxEntries: maxEntries ?? DEFAULT_MAX_ENTRIES,
    store,
    timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS,
  }
}

/** The readers of a list, for a session id that is given out in a field of this kind and name. */
type Lookup = (kind: FieldKind, name: string) => readonly FieldReader[]

function sameField(kind: FieldKind, name: string): readonly FieldReader[] {
  return [fieldReader('', kind, name)]
}

function parseLookup(path: string, value: unknown): Lookup | undefined {
  if (value === undefined) return undefined
  const list = optionList(path, value, LOOKUP)
  if (list.length === 0) throw new OptionError(path, value, LOOKUP)
  const makers = list.map((item, index) => {
    const at = `${path}[${index}]`
    const same = FIELD_KINDS.find(one => one === item)
    if (same !== undefined) return (name: string) => fieldReader(at, same, name)
    const reader = parseRequestField(at, item, LOOKUP)
    return () => reader
  })
  return (_kind, name) => makers.map(make => make(name))
}

function parseStore(path: string, value: unknown): AffinityStore | SharedStore | undefined {
  if (value === undefined || isShared(value) || isStore(value)) return value
  throw new OptionError(path, value, STORE)
}

export function isShared(value: unknown): value is SharedStore {
  return hasMethods(value, ['open'] satisfies (keyof SharedStore)[])
}

function isStore(value: unknown): value is AffinityStore {
  return hasMethods(value, ['get', 'set', 'delete'] satisfies (keyof AffinityStore)[])
}

function hasMethods(value: unknown, methods: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    methods.every(method => typeof Reflect.get(value, method) === 'function')
  )
}
