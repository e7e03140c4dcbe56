import { nearMiss } from './near-miss.ts'

/** One wrong option. */
export interface OptionProblem {
  /** The option's path, as `backends[1].url`. */
  readonly option: string
  /** The got and the accepted values, without the text of its value. */
  readonly message: string
}

/**
 * Wrong options: which, what they got, and what they take. Of a text of more than 15 characters, or one with `@`, the
 * length is told: it may be a secret in the wrong place. Thrown by the factories, never on the request path.
 */
export class OptionError extends TypeError {
  override readonly name = 'OptionError'
  readonly code = 'ERR_INVALID_OPTION'
  /** The path of the first wrong option, as `backends[1].url`. */
  readonly option: string
  /** The first problem without the option and without the text of its value, which may be a secret in the wrong place. */
  readonly redacted: string
  /** Every wrong option, in the order of the table of options. Safe to log. */
  readonly problems: readonly OptionProblem[]

  /** The errors of which this one is made, each with one problem. */
  readonly #singles: readonly OptionError[]

  /** @param problem the rest of the message, instead of `got` and `takes`; it holds no text of a value */
  constructor(option: string, got: unknown, takes: string, problem?: string)
  /** @param errors the problems that were found together; at least one */
  constructor(errors: readonly OptionError[])
  constructor(wrong: string | readonly OptionError[], got?: unknown, takes?: string, problem?: string) {
    const singles = typeof wrong === 'string' ? [] : [...new Set(wrong.flatMap(error => error.#singles))]
    super(
      typeof wrong === 'string'
        ? `${wrong === '' ? 'the options' : `option ${wrong}`} ${problem ?? `got ${show(got)}; it takes ${takes}`}`
        : [`${singles.length} options are wrong:`, ...singles.map(({ message }) => message)].join('\n- '),
    )
    this.#singles = typeof wrong === 'string' ? [this] : singles
    this.problems =
      typeof wrong === 'string'
        ? [{ option: wrong, message: problem ?? `got ${redact(got)}; it takes ${takes}` }]
        : singles.flatMap(({ problems }) => problems)
    const [{ option, message } = { option: '', message: '' }] = this.problems
    this.option = option
    this.redacted = message
  }
}

/** A number, with a unit or without: too short to be a secret. */
const QUANTITY = /^\d{1,6}(?:\.\d{1,3})? ?[A-Za-z]{0,3}$/

/** The kind of a value, and its length. Its text is left out: it may be a secret that stands in the wrong place. */
export function redact(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return QUANTITY.test(value) ? JSON.stringify(value) : `a text of ${characters(value)}`
    case 'number':
    case 'bigint':
      return QUANTITY.test(String(value)) ? String(value) : `a number of ${characters(String(value))}`
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
  }
}

function characters({ length }: string): string {
  return length === 1 ? '1 character' : `${length} characters`
}

/** Tokens and secrets are longer. */
const MAX_SHOWN = 15

/** The value, for the programmer whose mistake it is, where it can be no secret in the wrong place; else as `redact()`. */
function show(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
    return redact(value)
  const text = String(value)
  // A short url with a password has this.
  if (text.length > MAX_SHOWN || text.includes('@')) return redact(value)
  return typeof value === 'string' ? JSON.stringify(value) : text
}

/**
 * The value as an object with known keys.
 * @throws OptionError that lists the keys it takes. A misspelt key is an error: it would be an option ignored.
 */
export function optionObject(path: string, value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (!isRecord(value)) {
    throw new OptionError(path, value, `an object with ${keys.join(', ')}`)
  }
  throwAll(unknownKeys(path, value, keys))
  return value
}

/** An error for each key of `value` that is not one of `keys`, with the nearest of them. */
export function unknownKeys(path: string, value: object, keys: readonly string[]): readonly OptionError[] {
  return Object.keys(value)
    .filter(key => !keys.includes(key))
    .map(key => {
      const meant = nearMiss(key, keys)
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
      const known = `known are ${keys.join(', ')}`
      return new OptionError(keyPath(path, key), key, known, `is not known${hint}; ${known}`)
    })
}

/** The path of an option inside of another; the path of the whole is empty. */
export function optionPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

/** Names that people give to things: too short, or too plain, for a secret. */
const PLAIN_KEY = /^(?:[A-Za-z_-]{1,40}|[A-Za-z][\w-]{0,14})$/

/** The path of a key that users chose. It may be a secret in the wrong place, so its length stands for an unusual one. */
export function keyPath(path: string, key: string): string {
  return optionPath(path, PLAIN_KEY.test(key) ? key : `(a key of ${key.length} characters)`)
}

/** @throws OptionError that has all of `errors`, when there is any */
export function throwAll(errors: readonly OptionError[]): void {
  // A secret that several policies need is wrong once.
  const [first, ...others] = new Set(errors)
  if (first !== undefined) throw others.length === 0 ? first : new OptionError(errors)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function optionInteger(
  path: string,
  value: unknown,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new OptionError(path, value, `a whole number from ${least} to ${most}`)
  }
  return value
}

/** Longer than any word that is nearly one of ours. */
const MAX_WORD = 40

/** An error for a value where one of some words is taken. The value is shown only where it is nearly one of them. */
export function wordError(
  path: string,
  value: unknown,
  allowed: readonly unknown[],
  takes: string,
): OptionError {
  const words = allowed.filter(word => typeof word === 'string')
  const meant = typeof value === 'string' && value.length <= MAX_WORD ? nearMiss(value, words) : undefined
  return meant === undefined
    ? new OptionError(path, value, takes)
    : new OptionError(
        path,
        value,
        takes,
        `got ${JSON.stringify(value)} (did you mean ${meant}?); it takes ${takes}`,
      )
}

export function optionList(path: string, value: unknown, takes: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new OptionError(path, value, takes)
  return value
}
