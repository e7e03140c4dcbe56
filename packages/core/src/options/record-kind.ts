import { isRecord, keyPath, OptionError, optionPath } from './option.ts'
import { kind, type OptionKind } from './option-kind.ts'

interface Names {
  /** Of all names; absent: any name. */
  readonly pattern?: RegExp
  /** The accepted names, as the second half of a sentence. */
  readonly names?: string
  /** The accepted values of the whole. */
  readonly takes?: string
  /** The least number of entries. */
  readonly min?: number
}

/** An object with values of one kind by names that users choose. */
export function record<In, Out>(
  item: OptionKind<In, Out>,
  { pattern = ANY, names = 'other names', takes = 'an object', min = 0 }: Names = {},
): OptionKind<Readonly<Record<string, In>>, Readonly<Record<string, Out>> | undefined, false> {
  function each<T>(
    path: string,
    value: unknown,
    errors: OptionError[],
    read: (path: string, value: unknown, errors: OptionError[]) => T | undefined,
  ): Readonly<Record<string, T>> | undefined {
    if (!isRecord(value)) {
      errors.push(new OptionError(path, value, takes))
      return undefined
    }
    if (Object.keys(value).length < min)
      errors.push(new OptionError(path, value, takes, 'is empty; it takes one at least'))
    const entries = Object.entries(value).flatMap(([name, one]) => {
      if (!pattern.test(name)) {
        errors.push(new OptionError(keyPath(path, name), name, names, `has a wrong name; it takes ${names}`))
        return []
      }
      const at = pattern === ANY ? keyPath(path, name) : optionPath(path, name)
      // A name without a value is no value either.
      const found = read(at, one ?? null, errors)
      return found === undefined ? [] : [[name, found] as const]
    })
    return Object.fromEntries(entries)
  }
  return kind<Readonly<Record<string, In>>, Readonly<Record<string, Out>> | undefined>({
    takes,
    read: (path, value, errors) =>
      value === undefined ? undefined : each<Out>(path, value, errors, (...all) => item.read(...all)),
    readFile: (path, value, errors) => each(path, value, errors, (...all) => item.readFile(...all)),
    schema: {
      type: 'object',
      additionalProperties: item.schema ?? {},
      ...(min > 0 && { minProperties: min }),
      ...(pattern !== ANY && { propertyNames: { pattern: pattern.source } }),
    },
  })
}

const ANY = /^/
