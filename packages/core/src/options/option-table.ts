import type { JsonSchema } from './json-schema.ts'
import { isRecord, OptionError, optionPath, throwAll, unknownKeys } from './option.ts'
import { type InOf, kind, type OptionKind, type OutOf } from './option-kind.ts'

/** The kinds of a group of options, by key. */
export type OptionEntries = Readonly<Record<string, OptionKind<unknown, unknown>>>

/**
 * Finds what is wrong between options.
 * @param at the path of an option, or of the group
 * @param given the options as the user has written them, without defaults
 */
type Between<T extends OptionEntries> = (
  parsed: ParsedOptions<T>,
  at: (key?: keyof T & string) => string,
  given: { readonly [K in keyof T]?: unknown },
) => Iterable<OptionError>

/**
 * A group of options, declared once: its keys, types, defaults, checks and JSON Schema. The doc comment of an entry is
 * the prose of its option: editors show it, and the JSON Schema and the README have it from there.
 */
export interface OptionTable<T extends OptionEntries> {
  readonly options: T
  readonly keys: readonly (keyof T & string)[]
  /** The check of options that are right by themselves. */
  readonly between: Between<T> | undefined
  /** Problems go to `errors`; the result is complete only when there are none. */
  read(path: string, value: unknown, errors: OptionError[]): ParsedOptions<T>
  /** @throws OptionError with every problem of `value` */
  parse(path: string, value: unknown): ParsedOptions<T>
}

type KeysOf<T, Needed extends boolean> = {
  [K in keyof T]: T[K] extends { readonly isNeeded: infer N } ? (N extends Needed ? K : never) : never
}[keyof T]

type Flat<T> = { readonly [K in keyof T]: T[K] }

/** The type that users write. */
export type OptionsOf<Table extends { readonly options: OptionEntries }> = Flat<
  {
    readonly [K in keyof Table['options'] as K extends KeysOf<Table['options'], true> ? K : never]: InOf<
      Table['options'][K]
    >
  } & {
    readonly [K in keyof Table['options'] as K extends KeysOf<Table['options'], true> ? never : K]?:
      | InOf<Table['options'][K]>
      | undefined
  }
>

/** Options with the types of a framework for some of them: those of the table cannot know its requests. */
export type Retyped<Options, Types> = {
  readonly [K in keyof Options]: K extends keyof Types ? Types[K] | undefined : Options[K]
}

/** The type that the code reads. */
export type ParsedOptions<T extends OptionEntries> = {
  readonly [K in keyof T]: OutOf<T[K]>
}

/**
 * @param options in the order of the README
 * @param between what is wrong between options that are right by themselves; asked when all of them are
 */
export function optionTable<const T extends OptionEntries>(options: T, between?: Between<T>): OptionTable<T> {
  const keys = Object.keys(options)

  function read(path: string, value: unknown, errors: OptionError[]): ParsedOptions<T> {
    const before = errors.length
    const given = objectOf(path, value, keys, takesOf(options), errors)
    const parsed = Object.fromEntries(
      Object.entries(options).map(([key, option]) => [
        key,
        given === undefined ? undefined : option.read(optionPath(path, key), given[key], errors),
      ]),
    ) as ParsedOptions<T>
    if (errors.length === before && between !== undefined && given !== undefined)
      errors.push(...between(parsed, key => (key === undefined ? path : optionPath(path, key)), given))
    return parsed
  }

  return {
    options,
    keys,
    between,
    read,
    parse(path, value) {
      const errors: OptionError[] = []
      const parsed = read(path, value, errors)
      throwAll(errors)
      return parsed
    },
  }
}

/** A table with other kinds for some of its options. @param kinds none of options that `between` reads */
export function withKinds<
  T extends OptionEntries,
  const K extends { readonly [Key in keyof T]?: OptionEntries[string] },
>(group: OptionTable<T>, kinds: K): OptionTable<Omit<T, keyof K> & K> {
  type All = Omit<T, keyof K> & K
  // The values that `between` reads are those of the first table.
  return optionTable(
    { ...group.options, ...kinds } as object as All,
    group.between as Between<All> | undefined,
  )
}

/** A table as the value of an option. @param whenAbsent the options to read in place of an absent value */
export function table<T extends OptionEntries, const D extends object | undefined = undefined>(
  group: OptionTable<T>,
  whenAbsent?: D,
): OptionKind<
  OptionsOf<{ options: T }>,
  ParsedOptions<T> | (D extends undefined ? undefined : never),
  false
> {
  type Out = ParsedOptions<T> | (D extends undefined ? undefined : never)
  const { options } = group
  const inFiles = Object.entries(options).filter(([, { schema }]) => schema !== undefined)
  const fileKeys = inFiles.map(([key]) => key)
  return kind<OptionsOf<{ options: T }>, Out>({
    takes: takesOf(Object.fromEntries(inFiles)),
    read: (path, value, errors) => {
      const given = value === undefined ? whenAbsent : value
      return given === undefined ? undefined : group.read(path, given, errors)
    },
    readFile: (path, value, errors) => {
      const before = errors.length
      const given = objectOf(path, value, fileKeys, takesOf(Object.fromEntries(inFiles)), errors)
      if (given === undefined) return undefined
      const right = inFiles.flatMap(([key, option]) => {
        if (given[key] === undefined && !option.isNeeded) return []
        const one = option.readFile(optionPath(path, key), given[key], errors)
        return one === undefined ? [] : [[key, one] as const]
      })
      // With all keys right by themselves, what remains is wrong between them.
      if (errors.length === before && group.between !== undefined) group.read(path, value, errors)
      const isWhole = inFiles.every(([key, { isNeeded }]) => !isNeeded || right.some(([one]) => one === key))
      return isWhole ? Object.fromEntries(right) : undefined
    },
    schema: tableSchema(options),
  })
}

function takesOf(options: OptionEntries): string {
  const keys = Object.keys(options)
  const missed = keys.filter(key => options[key]?.isNeeded === true)
  return missed.length > 0
    ? `an object with ${missed.join(', ')} at least`
    : `an object with ${keys.join(', ')}`
}

function tableSchema(options: OptionEntries): JsonSchema {
  const inFiles = Object.entries(options).filter(([, { schema }]) => schema !== undefined)
  const required = inFiles.filter(([, { isNeeded }]) => isNeeded).map(([key]) => key)
  return {
    type: 'object',
    properties: Object.fromEntries(inFiles.map(([key, { schema }]) => [key, schema ?? {}])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

function objectOf(
  path: string,
  value: unknown,
  keys: readonly string[],
  takes: string,
  errors: OptionError[],
): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(value)) {
    errors.push(new OptionError(path, value, takes))
    return undefined
  }
  errors.push(...unknownKeys(path, value, keys))
  return value
}
