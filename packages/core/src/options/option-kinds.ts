import { type Duration, durationMs, MAX_TIMER_MS } from './duration.ts'
import type { JsonSchema } from './json-schema.ts'
import { isRecord, OptionError, redact, unknownKeys, wordError } from './option.ts'
import { type InOf, kind, type OptionKind, type OutOf } from './option-kind.ts'

/** A default makes the option's value present in the code that reads it. */
interface Default<D> {
  readonly default?: D
}

/** True or false. */
export function boolean<const D extends boolean | undefined = undefined>({
  default: fallback,
}: Default<D> = {}): OptionKind<boolean, boolean | D, false> {
  return plain<boolean, D>({
    fallback,
    isRight: value => typeof value === 'boolean',
    takes: 'true or false',
    schema: { type: 'boolean' },
  })
}

/** A whole number from `min` to `max`. */
export function integer<const D extends number | undefined = undefined>({
  min,
  max,
  default: fallback,
}: Default<D> & { readonly min: number; readonly max: number }): OptionKind<number, number | D, false> {
  return plain<number, D>({
    fallback,
    isRight: value => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    takes: `a whole number from ${min} to ${max}`,
    schema: { type: 'integer', minimum: min, maximum: max },
  })
}

/** A number from `min` to `max`. */
export function number<const D extends number | undefined = undefined>({
  min,
  max,
  default: fallback,
}: Default<D> & { readonly min: number; readonly max: number }): OptionKind<number, number | D, false> {
  return plain<number, D>({
    fallback,
    isRight: value => typeof value === 'number' && value >= min && value <= max,
    takes: `a number from ${min} to ${max}`,
    schema: { type: 'number', minimum: min, maximum: max },
  })
}

/** A text that matches `pattern`. @param takes what it has to be, as the second half of a sentence */
export function text<const D extends string | undefined = undefined>({
  pattern = NOT_EMPTY,
  takes = 'a text that is not empty',
  default: fallback,
}: Default<D> & { readonly pattern?: RegExp; readonly takes?: string } = {}): OptionKind<
  string,
  string | D,
  false
> {
  return plain<string, D>({
    fallback,
    isRight: value => typeof value === 'string' && pattern.test(value),
    takes,
    schema: { type: 'string', ...(pattern === NOT_EMPTY ? { minLength: 1 } : { pattern: pattern.source }) },
  })
}

const NOT_EMPTY = /[^]/

/** One of some words, or of other plain values. */
export function word<const W extends string | boolean | number, const D extends W | undefined = undefined>(
  words: readonly W[],
  { default: fallback, takes = `one of ${words.join(', ')}` }: Default<D> & { readonly takes?: string } = {},
): OptionKind<W, W | D, false> {
  return plain<W, D>({
    fallback,
    isRight: value => words.some(one => one === value),
    takes,
    words,
    schema: { enum: words },
  })
}

/** In files a duration has a unit: a bare number is milliseconds to some and seconds to others. 0 is the same in all. */
const FILE_DURATION = 'a duration, as 250ms, 5s, 30m, 8h or 7d'
const IN_FILES = /^\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d)$/
const DURATION_SCHEMA: JsonSchema = {
  anyOf: [{ const: 0 }, { type: 'string', pattern: IN_FILES.source }],
}

/** A length of time; the code reads milliseconds. @param min in milliseconds @param max in milliseconds */
export function duration<const D extends Duration | undefined = undefined>({
  min = 0,
  max,
  default: fallback,
}: Default<D> & { readonly min?: number; readonly max?: number } = {}): OptionKind<
  Duration,
  number | (D extends undefined ? undefined : number),
  false
> {
  type Out = number | (D extends undefined ? undefined : number)
  const read = (path: string, value: unknown, errors: OptionError[]): Out | undefined => {
    if (value === undefined && fallback === undefined) return undefined
    try {
      const ms = durationMs(path, value, fallback ?? 0, max)
      if (ms >= min) return ms
      errors.push(new OptionError(path, value, `a duration of at least ${atLeast(min)}`))
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      errors.push(error)
    }
    return undefined
  }
  return kind<Duration, Out>({
    takes: FILE_DURATION,
    read,
    readFile: (path, value, errors) => {
      const problem = (what?: string): void =>
        void errors.push(new OptionError(path, value, FILE_DURATION, what))
      if (typeof value === 'number' && value !== 0)
        problem(`got ${redact(value)}, a number without a unit; it takes ${FILE_DURATION}`)
      else if (value !== 0 && !(typeof value === 'string' && IN_FILES.test(value))) problem()
      else {
        const ms = durationMs(path, value, 0, Infinity)
        const longest = `${Math.floor((max ?? MAX_TIMER_MS) / 86_400_000)}d`
        if (ms < min) problem(`got ${redact(value)}; it takes a duration of at least ${atLeast(min)}`)
        else if (ms > (max ?? MAX_TIMER_MS))
          problem(`got ${redact(value)}; it takes a duration of at most ${longest}, as 250ms, 5s, 30m or 8h`)
        else return value
      }
      return undefined
    },
    schema: { ...DURATION_SCHEMA, ...(fallback !== undefined && { default: fallback }) },
  })
}

function atLeast(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

interface List<Item, D> extends Default<D> {
  readonly takes: string
  readonly min?: number
  /** Problems between the items, wrong ones among them. */
  readonly between?: (path: string, items: readonly Item[]) => Iterable<OptionError>
}

/** A list of one kind of items. */
export function list<In, Out, const D extends readonly Out[] | undefined = undefined>(
  item: OptionKind<In, Out | undefined>,
  { takes, min = 0, between, default: fallback }: List<unknown, D>,
): OptionKind<readonly In[], readonly Out[] | D, false> {
  function each<T>(
    path: string,
    value: unknown,
    errors: OptionError[],
    read: (path: string, value: unknown, errors: OptionError[]) => T,
  ): T[] | undefined {
    if (!Array.isArray(value) || value.length < min) {
      errors.push(new OptionError(path, value, takes))
      return undefined
    }
    const items: readonly unknown[] = value
    // A hole is no item either.
    const found = items.map((one, index) => read(`${path}[${index}]`, one ?? null, errors))
    for (const error of between?.(path, items) ?? []) errors.push(error)
    return found
  }
  return kind<readonly In[], readonly Out[] | D>({
    takes,
    read: (path, value, errors) =>
      value === undefined
        ? fallback
        : (each(path, value, errors, (...all) => item.read(...all)) as readonly Out[] | undefined),
    readFile: (path, value, errors) => {
      const found = each(path, value, errors, (...all) => item.readFile(...all))
      // Without one, the others would change their places.
      return found?.includes(undefined) === true ? undefined : found
    },
    schema: {
      type: 'array',
      items: item.schema ?? {},
      ...(min > 0 && { minItems: min }),
      ...(fallback !== undefined && { default: fallback }),
    },
  })
}

interface Either<A, B, PlainOut, ObjectOut> {
  /** For every value but an object. Its `takes` names the object, too. */
  readonly plain: OptionKind<A, PlainOut>
  readonly object: OptionKind<B, ObjectOut>
}

/** A plain value, or an object. */
export function either<A, B, PlainOut, ObjectOut>({
  plain: one,
  object,
}: Either<A, B, PlainOut, ObjectOut>): OptionKind<A | B, PlainOut | Exclude<ObjectOut, undefined>, false> {
  type Out = PlainOut | Exclude<ObjectOut, undefined>
  const chosen = (value: unknown): OptionKind<A | B, PlainOut | ObjectOut> => (isRecord(value) ? object : one)
  return kind<A | B, Out>({
    takes: one.takes,
    read: (path, value, errors) => chosen(value).read(path, value, errors) as Out | undefined,
    readFile: (path, value, errors) => chosen(value).readFile(path, value, errors),
    schema: { anyOf: [one.schema, object.schema].filter(schema => schema !== undefined) },
  })
}

/** The type that users write: an object with one of the keys. */
type OneOf<T> = { [K in keyof T]: { readonly [P in K]: InOf<T[K]> } }[keyof T]
/** The given key and its checked value. */
type OneOfOut<T> = {
  [K in keyof T]: { readonly key: K; readonly value: Exclude<OutOf<T[K]>, undefined> }
}[keyof T]

/** An object with exactly one of several keys. */
export function oneOf<const T extends Readonly<Record<string, OptionKind<unknown, unknown>>>>(
  kinds: T,
  takes = `an object with ${Object.keys(kinds).join(' or ')}`,
): OptionKind<OneOf<T>, OneOfOut<T> | undefined, false> {
  const keys = Object.keys(kinds)
  function keyOf(path: string, value: unknown, errors: OptionError[]): string | undefined {
    if (!isRecord(value)) {
      errors.push(new OptionError(path, value, takes))
      return undefined
    }
    const unknown = unknownKeys(path, value, keys)
    errors.push(...unknown)
    const [key, ...others] = keys.filter(one => value[one] !== undefined)
    for (const other of others)
      errors.push(
        new OptionError(
          `${path}.${other}`,
          value,
          takes,
          `cannot be combined with ${key}; it takes one of ${keys.join(', ')}`,
        ),
      )
    if (key === undefined && unknown.length === 0) errors.push(new OptionError(path, value, takes))
    return others.length > 0 ? undefined : key
  }
  return kind<OneOf<T>, OneOfOut<T> | undefined>({
    takes,
    read: (path, value, errors) => {
      const key = value === undefined ? undefined : keyOf(path, value, errors)
      if (key === undefined) return undefined
      const given = (value as Readonly<Record<string, unknown>>)[key]
      return { key, value: kinds[key]?.read(`${path}.${key}`, given, errors) } as OneOfOut<T>
    },
    readFile: (path, value, errors) => {
      const key = keyOf(path, value, errors)
      if (key === undefined) return undefined
      const given = (value as Readonly<Record<string, unknown>>)[key]
      const right = kinds[key]?.readFile(`${path}.${key}`, given, errors)
      return right === undefined ? undefined : { [key]: right }
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(kinds).flatMap(([key, { schema }]) => (schema === undefined ? [] : [[key, schema]])),
      ),
      minProperties: 1,
      maxProperties: 1,
      additionalProperties: false,
    },
  })
}

interface Plain<D> {
  readonly fallback: D | undefined
  readonly isRight: (value: unknown) => boolean
  readonly takes: string
  readonly words?: readonly unknown[]
  readonly schema: JsonSchema
}

function plain<In, D>({
  fallback,
  isRight,
  takes,
  words = [],
  schema,
}: Plain<D>): OptionKind<In, In | D, false> {
  return kind<In, In | D>({
    takes,
    read: (path, value, errors) => {
      if (value === undefined) return fallback
      if (isRight(value)) return value as In
      errors.push(wordError(path, value, words, takes))
      return undefined
    },
    schema: { ...schema, ...(fallback !== undefined && { default: fallback }) },
  })
}
