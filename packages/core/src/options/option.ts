import { nearMiss } from './near-miss.ts'

/** A wrong option: which, what it got, and what it takes. Thrown by the factories, never on the request path. */
export class OptionError extends TypeError {
  override readonly name = 'OptionError'
  readonly code = 'ERR_INVALID_OPTION'
  /** The option's path, as `backends[1].url`. */
  readonly option: string
  /** The message without the option and without the text of its value, which may be a secret in the wrong place. */
  readonly redacted: string
  /** @param problem the rest of the message, instead of `got` and `takes`; it holds no text of a value */
  constructor(option: string, got: unknown, takes: string, problem?: string) {
    super(
      `${option === '' ? 'the options' : `option ${option}`} ${problem ?? `got ${show(got)}; it takes ${takes}`}`,
    )
    this.option = option
    this.redacted = problem ?? `got ${redact(got)}; it takes ${takes}`
  }
}

/** A number, with a unit or without: too short to be a secret. */
const QUANTITY = /^\d{1,6}(?:\.\d{1,3})? ?[A-Za-z]{0,3}$/

/** What kind of value this is, and how long. Its text is left out: it may be a secret that stands in the wrong place. */
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

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** The value as an object, or an error that lists the keys it takes. A misspelt key is an error: it would be an option ignored. */
export function optionObject(path: string, value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (!isRecord(value)) {
    throw new OptionError(path, value, `an object with ${keys.join(', ')}`)
  }
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue
    const meant = nearMiss(key, keys)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    const known = `known are ${keys.join(', ')}`
    throw new OptionError(path === '' ? key : `${path}.${key}`, key, known, `is not known${hint}; ${known}`)
  }
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function optionBoolean(path: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new OptionError(path, value, 'true or false')
  return value
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

export function optionOneOf<const T>(path: string, value: unknown, fallback: T, allowed: readonly T[]): T {
  if (value === undefined) return fallback
  const found = allowed.find(one => one === value)
  if (found === undefined) throw new OptionError(path, value, `one of ${allowed.map(String).join(', ')}`)
  return found
}

export function optionList(path: string, value: unknown, takes: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new OptionError(path, value, takes)
  return value
}

/** Not called here, so what it takes and returns is the caller's promise. */
export function optionFunction<F extends (...args: never[]) => unknown>(
  path: string,
  value: F | undefined,
  fallback: F,
): F {
  if (value === undefined) return fallback
  if (typeof value !== 'function') throw new OptionError(path, value, 'a function')
  return value
}
