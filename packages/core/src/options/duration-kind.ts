import { type Duration, durationMs, MAX_TIMER_MS } from './duration.ts'
import type { JsonSchema } from './json-schema.ts'
import { OptionError, redact } from './option.ts'
import { kind, type OptionKind } from './option-kind.ts'
import type { Default } from './plain-kinds.ts'

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
