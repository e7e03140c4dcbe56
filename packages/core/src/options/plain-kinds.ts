import type { JsonSchema } from './json-schema.ts'
import { OptionError, wordError } from './option.ts'
import { kind, type OptionKind } from './option-kind.ts'

/** A default makes the option's value present in the code that reads it. */
export interface Default<D> {
  readonly default?: D
}

/** The bounds of a number. */
interface Range<D> extends Default<D> {
  readonly min: number
  readonly max: number
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
}: Range<D>): OptionKind<number, number | D, false> {
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
}: Range<D>): OptionKind<number, number | D, false> {
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

/** A function. It is not called here, so its parameters and its result are the user's promise. */
export function callback<F extends (...args: never[]) => unknown>(settings: {
  readonly default: F
  readonly takes?: string
}): OptionKind<F, F, false>
export function callback<F extends (...args: never[]) => unknown>(settings?: {
  readonly takes?: string
}): OptionKind<F, F | undefined, false>
export function callback<F extends (...args: never[]) => unknown>({
  default: fallback,
  takes = 'a function',
}: Default<F> & { readonly takes?: string } = {}): OptionKind<F, F | undefined, false> {
  return kind<F, F | undefined>({
    takes,
    read: (path, value, errors) => {
      if (value === undefined) return fallback
      if (typeof value === 'function') return value as F
      errors.push(new OptionError(path, value, takes))
      return undefined
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
