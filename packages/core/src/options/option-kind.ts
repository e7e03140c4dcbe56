import type { JsonSchema } from './json-schema.ts'
import { OptionError, throwAll } from './option.ts'

/**
 * The values of one option. `In` is the type that users write, `Out` the type that the code reads.
 * All problems of a value are added to `errors`; nothing is thrown.
 */
export interface OptionKind<In, Out, Needed extends boolean = boolean> {
  /**
   * The checked value, or the default when `value` is undefined. Undefined when the value is wrong.
   * @param path of the option, for the problems
   */
  read(path: string, value: unknown, errors: OptionError[]): Out | undefined
  /**
   * The value of a configuration file as it stands there, without its wrong parts. Stricter than `read` where a file
   * may be misread: a bare number is no duration. Not called for an absent value.
   */
  readFile(path: string, value: unknown, errors: OptionError[]): unknown
  /** Names the accepted values, as the second half of a sentence. */
  readonly takes: string
  /** For a value in a file. Undefined: only code can give the option. */
  readonly schema: JsonSchema | undefined
  readonly isNeeded: Needed
  /** For the types alone: absent at run time. */
  readonly types?: readonly [In, Out]
}

interface Settings<In, Out> {
  readonly takes: string
  readonly read: (path: string, value: unknown, errors: OptionError[]) => Out | undefined
  readonly readFile?: OptionKind<In, Out>['readFile']
  readonly schema?: JsonSchema
}

/** @param settings `readFile` is that of `read` when absent; `schema` is absent when only code can give the option */
export function kind<In, Out = In>({
  takes,
  read,
  readFile = fileReader(read),
  schema,
}: Settings<In, Out>): OptionKind<In, Out, false> {
  return { takes, read, readFile, schema, isNeeded: false }
}

/** A kind whose value a function checks that throws OptionError. @param parse gets undefined for an absent value */
export function parsed<In, Out>(
  takes: string,
  parse: (path: string, value: unknown) => Out,
  schema?: JsonSchema,
): OptionKind<In, Out, false> {
  const read = (path: string, value: unknown, errors: OptionError[]): Out | undefined =>
    attempt(() => parse(path, value), errors)
  return kind<In, Out>({ takes, read, ...(schema !== undefined && { schema }) })
}

/** The type of a kind's values that users write. */
export type InOf<K> = K extends { readonly types?: readonly [infer In, unknown] } ? In : never

/** The type of a kind's values that the code reads. */
export type OutOf<K> = K extends { readonly types?: readonly [unknown, infer Out] } ? Out : never

/** The same values, compiled to what the code uses; undefined stays. @param compile gets checked values */
export function compiled<In, Out, Compiled>(
  option: OptionKind<In, Out>,
  compile: (out: Exclude<Out, undefined>) => Compiled,
): OptionKind<In, Compiled | Extract<Out, undefined>, false> {
  return kind<In, Compiled | Extract<Out, undefined>>({
    takes: option.takes,
    read: (path, value, errors) => {
      const before = errors.length
      const out = option.read(path, value, errors)
      // Without a problem it is complete.
      return errors.length > before || out === undefined ? undefined : compile(out as Exclude<Out, undefined>)
    },
    readFile: (path, value, errors) => option.readFile(path, value, errors),
    ...(option.schema !== undefined && { schema: option.schema }),
  })
}

/** A value that code checks later, where it has what the check needs. @param inFile the check of a file's value; absent: only code can give the option */
export function asGiven<In>(
  takes: string,
  inFile?: OptionKind<unknown, unknown>,
): OptionKind<In, In | undefined, false> {
  return {
    takes,
    read: (_path, value) => value as In | undefined,
    readFile: (path, value, errors) => inFile?.readFile(path, value, errors),
    schema: inFile?.schema,
    isNeeded: false,
  }
}

/** An option that must be given. */
export function needed<In, Out>(option: OptionKind<In, Out>): OptionKind<In, Exclude<Out, undefined>, true> {
  type Present = Exclude<Out, undefined>
  function present<T>(read: (path: string, value: unknown, errors: OptionError[]) => T): typeof read {
    return (path, value, errors) => {
      if (value !== undefined) return read(path, value, errors)
      errors.push(new OptionError(path, value, option.takes, `is missing; it takes ${option.takes}`))
      return undefined as T
    }
  }
  return {
    takes: option.takes,
    schema: option.schema,
    read: present<Present | undefined>((...all) => option.read(...all) as Present | undefined),
    readFile: present((...all) => option.readFile(...all)),
    isNeeded: true,
  }
}

/** An option that stands in no file. */
export function codeOnly<In, Out, Needed extends boolean>(
  option: OptionKind<In, Out, Needed>,
): OptionKind<In, Out, Needed> {
  return { ...option, schema: undefined }
}

/** The result of `parse`, or undefined when it throws an OptionError, which is added to `errors`. */
export function attempt<T>(parse: () => T, errors: OptionError[]): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    errors.push(error)
    return undefined
  }
}

/** @throws OptionError with every problem of `value` */
export function parseOption<Out>(option: OptionKind<unknown, Out>, path: string, value: unknown): Out {
  const errors: OptionError[] = []
  const out = option.read(path, value, errors)
  throwAll(errors)
  // Without a problem it is complete.
  return out as Out
}

function fileReader(read: OptionKind<unknown, unknown>['read']): OptionKind<unknown, unknown>['readFile'] {
  return (path, value, errors) => {
    const before = errors.length
    read(path, value, errors)
    return errors.length > before ? undefined : value
  }
}
