import { nearMiss, redact } from '@limpet/core'
import type { z } from 'zod'
import { pathText } from './problem-path.ts'
import { DURATION } from './schema.ts'

/** A problem of a file: its place, and the accepted values there. */
export interface Problem {
  /** As `pools.web.backends[1].url`; empty: the file as a whole. */
  readonly path: string
  readonly text: string
}

/** Longer than any word that is nearly one of ours. */
const MAX_WORD = 40

type Path = readonly PropertyKey[]
type Issue = z.core.$ZodIssue

export function problemText({ path, text }: Problem): string {
  return path === '' ? text : `${path} ${text}`
}

/** All that a schema has found wrong with `value`, in words. */
export function problemsIn(schema: z.ZodType, value: unknown, error: z.ZodError): readonly Problem[] {
  return error.issues.flatMap(issue => told(issue, [], value, schema))
}

function told(issue: Issue, above: Path, root: unknown, schema: z.ZodType): readonly Problem[] {
  const path = [...above, ...issue.path]
  const schemas = schemasAt(schema, path)
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path, keysOf(schemas))
  const found = valueAt(root, path)
  if (issue.code === 'invalid_union') {
    const branch = branchFor(issue.errors, found)
    if (branch !== undefined) return branch.flatMap(one => told(one, path, root, schema))
    const known = keysOf(schemas)
    const unknown = isPlain(found) ? Object.keys(found).filter(key => !known.includes(key)) : []
    if (known.length > 0 && unknown.length > 0) return unknownKeys(unknown, path, known)
  }
  const takes = takesAt(schemas, issue)
  return [{ path: pathText(path), text: `${gotAt(found, schemas, takes)}; it takes ${takes}` }]
}

function unknownKeys(keys: readonly string[], path: Path, known: readonly string[]): readonly Problem[] {
  return keys.map(key => {
    if (known.includes(key))
      return {
        path: pathText([...path, key]),
        text: `cannot be combined with another; it takes one of ${known.join(', ')}`,
      }
    const meant = nearMiss(key, known)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    return { path: pathText([...path, key]), text: `is not known${hint}; known are ${known.join(', ')}` }
  })
}

/** Describes the value found. Its text is shown only where it nearly matches an accepted word. */
function gotAt(found: unknown, schemas: readonly z.ZodType[], takes: string): string {
  if (found === undefined) return 'is missing'
  if (typeof found === 'number') {
    if (takes === DURATION) return `got ${redact(found)}, a number without a unit`
    const takesNumbers = schemas.some(one => defOf(one).type === 'number')
    return `got ${takesNumbers ? redact(found) : 'a number'}`
  }
  return gotWord(found, schemas.flatMap(wordsOf))
}

/** Describes a value found where one of some words is accepted. */
export function gotWord(found: unknown, words: readonly string[]): string {
  const meant = typeof found === 'string' && found.length <= MAX_WORD ? nearMiss(found, words) : undefined
  return meant === undefined
    ? `got ${redact(found)}`
    : `got ${JSON.stringify(found)} (did you mean ${meant}?)`
}

/** Of the ways in which a value could have been meant, the one that it looks like. */
function branchFor(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  const near = branches.filter(issues =>
    issues.every(issue => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  )
  if (!isPlain(value))
    return branches.find(issues => issues.every(({ path }) => path.length > 0 || value === undefined))
  const keys = Object.keys(value)
  // The kind with a matching key; else the only one that accepts an object at all.
  return (
    near.find(issues => issues.every(({ path: [key] }) => key === undefined || keys.includes(String(key)))) ??
    (near.length === 1 ? near[0] : undefined)
  )
}

function takesAt(schemas: readonly z.ZodType[], issue: Issue): string {
  for (const schema of schemas) {
    const takes = schema.meta()?.description
    if (typeof takes === 'string') return takes
  }
  switch (issue.code) {
    case 'invalid_type':
      return WORDS[issue.expected] ?? issue.expected
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_key':
      return 'names of 1 to 64 of the characters A-Z a-z 0-9 _ -'
    case 'invalid_union':
      return kindsOf(schemas)
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `at least ${issue.minimum}`
        : 'one at least'
    case 'too_big':
      return `at most ${issue.maximum}`
    case 'invalid_format':
      return issue.path.at(-1) === 'path' ? 'a path that begins with /' : 'another text'
    case 'unrecognized_keys':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
    default:
      return 'something else'
  }
}

/** All that a union takes: its words, then its other kinds of values. */
function kindsOf(schemas: readonly z.ZodType[]): string {
  const words = schemas.flatMap(wordsOf)
  const keys = schemas.flatMap(schema => neededKeys(defOf(schema).shape ?? {}))
  const kinds = [
    ...schemas.map(schema => defOf(schema).type).filter(type => KINDS.has(type)),
    ...(keys.length > 0 ? ['object'] : []),
  ].map(type => (type === 'object' ? `an object with ${keys.join(' or ')}` : (WORDS[type] ?? type)))
  const list = words.length > 1 ? [`one of ${words.join(', ')}`] : words
  return [...list, ...new Set(kinds)].join(', or ')
}

const KINDS: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'array'])

/** Keys without which an object is none; where all may be absent, all of them. */
function neededKeys(shape: Readonly<Record<string, z.ZodType>>): readonly string[] {
  const needed = Object.keys(shape).filter(key => defOf(shape[key]).type !== 'optional')
  return needed.length > 0 ? needed : Object.keys(shape)
}

/** The words of an enumeration. */
function wordsOf(schema: z.ZodType): readonly string[] {
  const { entries = {}, values = [] } = defOf(schema)
  return [...Object.values(entries), ...values].filter(word => typeof word === 'string')
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}

/** The schemas that may be meant at a path, for their descriptions. */
function schemasAt(schema: z.ZodType, path: Path): readonly z.ZodType[] {
  let schemas = alternatives(schema)
  for (const key of path) {
    schemas = schemas.flatMap(one => alternativesOf(one, key))
  }
  return schemas
}

function alternativesOf(schema: z.ZodType, key: PropertyKey): readonly z.ZodType[] {
  const def = defOf(schema)
  const next =
    def.type === 'object' ? def.shape?.[String(key)] : def.type === 'array' ? def.element : def.valueType
  return next === undefined ? [] : alternatives(next)
}

/** The schema itself without its optional wrapper, and the members of a union too. */
function alternatives(schema: z.ZodType): readonly z.ZodType[] {
  const def = defOf(schema)
  if (def.innerType !== undefined) return alternatives(def.innerType)
  return [schema, ...(def.options ?? []).flatMap(alternatives)]
}

/** The part of a definition that zod's classes have in common. */
interface SchemaDef {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly innerType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly entries?: Readonly<Record<string, string | number>>
  readonly values?: readonly unknown[]
}

function defOf(schema: z.ZodType | undefined): SchemaDef {
  return (schema as object as { def: SchemaDef }).def
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(schemas: readonly z.ZodType[]): readonly string[] {
  return [...new Set(schemas.flatMap(schema => Object.keys(defOf(schema).shape ?? {})))]
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  )
}
