import { InvalidEditError } from '../errors.ts'
import { isRecord, keyPath, OptionError, throwAll } from '../options/option.ts'
import { list } from '../options/composed-kinds.ts'
import { attempt, compiled, type OptionKind, parsed } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, table } from '../options/option-table.ts'
import { isAuthority } from './authority.ts'
import { HOP_BY_HOP } from './hop-by-hop.ts'

export const SET = 'an object of header fields by name'

/** Edits that an operator wants made to the header of every message. */
export const HEADER_EDIT_OPTIONS = optionTable({
  /** Fields to set, by name; lines that the message has for them are replaced. */
  set: parsed<Readonly<Record<string, string>> | undefined, HeaderEdits['set']>(SET, parseHeaderSet, {
    type: 'object',
    additionalProperties: { type: 'string' },
  }),
  /** Names of fields to remove. */
  remove: compiled(
    list(parsed<string, string>('the name of a header field', checkName, { type: 'string', minLength: 1 }), {
      takes: 'a list of header names',
      default: [],
    }),
    names => new Set(names),
  ),
})

export interface HeaderEditOptions extends OptionsOf<typeof HEADER_EDIT_OPTIONS> {}

/** The same, checked: names in lower case, and for each set the line to write. */
export interface HeaderEdits {
  readonly set: ReadonlyMap<string, readonly [name: string, value: string]>
  readonly remove: ReadonlySet<string>
}

/**
 * Fields that no edit reaches, because they frame the message or belong to the client's connection. `__proto__` is
 * not among the fields that Node shows. The credentials for a proxy may be an application's to set.
 */
const PROTECTED: ReadonlySet<string> = new Set(
  [...HOP_BY_HOP, 'content-length', 'expect', '__proto__'].filter(name => !name.startsWith('proxy-auth')),
)

/** Whether edits of this field are ignored: the lines of the wire count. */
export function isProtected(lower: string): boolean {
  return PROTECTED.has(lower)
}

/** Edits as an option; undefined when there is nothing to edit. */
export const HEADER_EDITS: OptionKind<HeaderEditOptions, HeaderEdits | undefined, false> = compiled(
  table(HEADER_EDIT_OPTIONS),
  edits => (edits.set.size === 0 && edits.remove.size === 0 ? undefined : edits),
)

/** @throws OptionError with every field that cannot be set */
export function parseHeaderSet(path: string, fields: unknown = {}): HeaderEdits['set'] {
  if (!isRecord(fields)) throw new OptionError(path, fields, SET)
  const errors: OptionError[] = []
  const set = new Map<string, readonly [string, string]>()
  for (const [name, value] of Object.entries(fields)) {
    const at = keyPath(path, name)
    const lower = attempt(() => checkName(at, name), errors)
    if (lower === undefined) continue
    const problem = typeof value === 'string' ? valueProblem(lower, value) : 'is no string'
    if (problem === undefined) set.set(lower, [name, String(value)])
    else errors.push(new OptionError(at, value, '', `${problem}; it takes the text of a header field`))
  }
  throwAll(errors)
  return set
}

function checkName(path: string, name: unknown): string {
  if (typeof name !== 'string' || !TOKEN.test(name)) throw new OptionError(path, name, 'header names')
  const lower = name.toLowerCase()
  if (isProtected(lower)) {
    const why = 'belongs to the connection or frames the message, and cannot be edited'
    throw new OptionError(path, name, '', `names ${name}, which ${why}`)
  }
  return lower
}

/**
 * The lines that an application's value makes: text as it is, a number as its text, a list as several lines, and
 * undefined as none. Cookies of a list become one line, as Node writes them.
 * @param where the object of the application that has the field, for the error
 * @throws InvalidEditError for a name or a value that cannot be written
 */
export function editedValues(name: string, value: unknown, where = 'headers'): readonly string[] {
  if (value === undefined) return NONE
  const lower = name.toLowerCase()
  const fail = (problem: string): never => {
    throw new InvalidEditError(fieldPath(where, name), problem)
  }
  if (!TOKEN.test(name)) fail('is no header name')
  const values = Array.isArray(value) ? value.map(each => textOf(each, fail)) : [textOf(value, fail)]
  const lines = lower === 'cookie' && values.length > 1 ? [values.join('; ')] : values
  for (const line of lines) {
    const problem = valueProblem(lower, line)
    if (problem !== undefined) fail(problem)
  }
  if (lower === 'host' && lines.length > 1) fail('has several values')
  return lines
}

function textOf(value: unknown, fail: (problem: string) => never): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return fail(`is ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  if (Array.isArray(value)) return 'a list in a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The reason why `value` cannot stand in a field of this name. The value itself may be a secret, and is not shown. */
function valueProblem(lower: string, value: string): string | undefined {
  const at = value.search(UNFIT)
  if (at >= 0) {
    const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
    return `has a character that no header may have (U+${code})`
  }
  return lower === 'host' && !isAuthority(value) ? 'is no host' : undefined
}

/** Where a field stands in the application's code; the name may be anything. */
function fieldPath(where: string, name: string): string {
  if (TOKEN.test(name) && name.length <= 64) return `${where}.${name}`
  const shown = name.slice(0, 64).replaceAll(/[^ -~]|["\\]/g, escaped)
  return `${where}["${shown}"]`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const NONE: readonly string[] = []
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 §5.5; above U+00FF, Node would cut the character down to another byte. */
const UNFIT = /[^\t\x20-\x7E\x80-\xFF]/
