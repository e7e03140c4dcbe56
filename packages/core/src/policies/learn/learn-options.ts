import { type Duration, durationMs } from '../../options/duration.ts'
import { OptionError, optionInteger, optionList, optionObject } from '../../options/option.ts'
import {
  FIELD_KINDS,
  type FieldKind,
  type FieldReader,
  fieldReader,
  parseRequestField,
  type RequestField,
} from '../../http/request-field.ts'
import type { AffinityStore, SharedStore } from '../store/store.ts'

/** The `learn` policy as it is configured. nginx's word for an option is given where it has one. */
export interface LearnPolicyOptions {
  /** The cookie in which the application gives out session ids. (create) */
  readonly cookie?: string
  /** Or the header field, as `Mcp-Session-Id`. (create) */
  readonly header?: string
  /** Where requests carry the id: a kind alone for the same name, or a kind and a name, as `'query:sid'`. (lookup) @default where it was given out */
  readonly lookup?: readonly (FieldKind | RequestField)[]
  /** Forgotten after this long without an answer in its session. (timeout) @default '1h' */
  readonly ttl?: Duration
  /** Sessions that the embedded store remembers at most. (zone) @default 100000 */
  readonly maxEntries?: number
  /** A store that several gateways share, or a `MemoryStore` that outlives this one. (sync) @default the embedded one, in this process */
  readonly store?: AffinityStore | SharedStore
  /** How long a look-up in such a store may take; then the session counts as unknown. @default '1s' */
  readonly timeout?: Duration
}

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

const KEYS: readonly string[] = [
  'cookie',
  'header',
  'lookup',
  'ttl',
  'maxEntries',
  'store',
  'timeout',
] satisfies (keyof LearnPolicyOptions)[]

const MAX_MS = 400 * 86_400_000
const LOOKUP = 'a list of header, query, cookie, path-parameter, or one of them with a name, as "query:sid"'

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseLearnOptions(path: string, value: unknown): LearnOptions {
  const given = optionObject(path, value, KEYS)
  const kind = given['header'] === undefined ? 'cookie' : 'header'
  if ((given['cookie'] === undefined) === (given['header'] === undefined))
    throw new OptionError(path, value, 'either cookie or header')
  const name = given[kind]
  const same = fieldReader(`${path}.${kind}`, kind, name)
  const ttlMs = durationMs(`${path}.ttl`, given['ttl'], '1h', MAX_MS)
  if (ttlMs < 1000) throw new OptionError(`${path}.ttl`, given['ttl'], 'at least 1s')
  const timeoutMs = durationMs(`${path}.timeout`, given['timeout'], '1s')
  const store = parseStore(`${path}.store`, given['store'])
  if (timeoutMs < 1) throw new OptionError(`${path}.timeout`, given['timeout'], 'at least 1ms')
  if (store === undefined && given['timeout'] !== undefined)
    throw new OptionError(`${path}.timeout`, given['timeout'], 'a duration only with a store')
  if (store !== undefined && isShared(store) && given['timeout'] !== undefined)
    throw new OptionError(
      `${path}.timeout`,
      given['timeout'],
      'no value here: this store has its own deadline',
    )
  if (store !== undefined && given['maxEntries'] !== undefined)
    throw new OptionError(`${path}.maxEntries`, given['maxEntries'], 'a number only without a store')
  return {
    kind,
    name: String(name),
    lookups: given['lookup'] === undefined ? [same] : parseLookup(`${path}.lookup`, given['lookup'], name),
    ttlMs,
    maxEntries: optionInteger(`${path}.maxEntries`, given['maxEntries'], 100_000, 1, 16_000_000),
    store,
    timeoutMs,
  }
}

function parseLookup(path: string, value: unknown, name: unknown): readonly FieldReader[] {
  const list = optionList(path, value, LOOKUP)
  if (list.length === 0) throw new OptionError(path, value, LOOKUP)
  return list.map((item, index) => {
    const at = `${path}[${index}]`
    const kind = FIELD_KINDS.find(one => one === item)
    return kind === undefined ? parseRequestField(at, item, LOOKUP) : fieldReader(at, kind, name)
  })
}

function parseStore(path: string, value: unknown): AffinityStore | SharedStore | undefined {
  if (value === undefined) return undefined
  if (isShared(value) || isStore(value)) return value
  throw new OptionError(path, value, 'an object with get, set and delete, or one with open')
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
