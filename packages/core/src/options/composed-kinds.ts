import { isRecord, OptionError, unknownKeys } from './option.ts'
import { type InOf, kind, type OptionKind, type OutOf } from './option-kind.ts'
import type { Default } from './plain-kinds.ts'

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
    const found = Array.from(items, (one, index) => read(`${path}[${index}]`, one ?? null, errors))
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
