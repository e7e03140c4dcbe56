import { nearMiss } from '@limpet/core'
import type { z } from 'zod'

/** What is wrong with a file: where, and what it takes there. */
export interface Problem {
  /** As `pools.web.backends[1].url`; empty: the file as a whole. */
  readonly path: string
  readonly text: string
}

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
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemasAt(schema, path))
    return issue.keys.map(key => {
      if (known.includes(key))
        return {
          path: pathText([...path, key]),
          text: `stands beside another; it takes one of ${known.join(', ')}`,
        }
      const meant = nearMiss(key, known)
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
      return { path: pathText([...path, key]), text: `is not known${hint}; known are ${known.join(', ')}` }
    })
  }
  if (issue.code === 'invalid_union') {
    const found = valueAt(root, path)
    const branch = branchFor(issue.errors, found)
    if (branch !== undefined) return branch.flatMap(one => told(one, path, root, schema))
  }
  const found = valueAt(root, path)
  const takes = takesAt(schemasAt(schema, path), issue)
  const got = found === undefined ? 'is missing' : `got ${show(found)}`
  return [{ path: pathText(path), text: `${got}; it takes ${takes}` }]
}

/** Of the ways in which a value could have been meant, the one that it looks like. */
function branchFor(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  const near = branches.filter(issues =>
    issues.every(issue => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  )
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return branches.find(issues => issues.every(({ path }) => path.length > 0 || value === undefined))
  const keys = Object.keys(value)
  // One whose key is there; else the only one that takes an object at all.
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
    case 'invalid_union': {
      const keys = keysOf(schemas)
      return keys.length > 0 ? `an object with ${keys.join(' or ')}` : 'another kind of value'
    }
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

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}

/** The schemas that may be meant at a path, for what they say of themselves. */
function schemasAt(schema: z.ZodType, path: Path): readonly z.ZodType[] {
  let schemas = alternatives(schema)
  for (const key of path) {
    schemas = schemas.flatMap(one => alternativesOf(one, key))
  }
  return schemas
}

function alternativesOf(schema: z.ZodType, key: PropertyKey): readonly z.ZodType[] {
  const { def } = schema as { def: SchemaDef }
  const next =
    def.type === 'object' ? def.shape?.[String(key)] : def.type === 'array' ? def.element : def.valueType
  return next === undefined ? [] : alternatives(next)
}

/** Itself without what makes it optional, and for a union each of its kinds, too. */
function alternatives(schema: z.ZodType): readonly z.ZodType[] {
  const { def } = schema as { def: SchemaDef }
  if (def.innerType !== undefined) return alternatives(def.innerType)
  return [schema, ...(def.options ?? []).flatMap(alternatives)]
}

/** What zod's classes have in common. */
interface SchemaDef {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly innerType?: z.ZodType
  readonly options?: readonly z.ZodType[]
}

function keysOf(schemas: readonly z.ZodType[]): readonly string[] {
  return [...new Set(schemas.flatMap(schema => Object.keys((schema as { def: SchemaDef }).def.shape ?? {})))]
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  )
}

function pathText(path: Path): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}

/** Values may be secrets: long texts are cut, and lists and objects are named. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
}
