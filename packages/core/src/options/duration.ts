import { OptionError } from './option.ts'

/** A length of time: milliseconds as a number, or a number with its unit, as `'250ms'`, `'5s'`, `'30m'`, `'8h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Longest that a Node timer can count; above it, it would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * The milliseconds that `value` stands for, or those of `fallback` when it is absent.
 * @param mostMs 24 days where a timer counts it
 * @throws OptionError for anything that is not a duration, or is too long.
 */
export function durationMs(path: string, value: unknown, fallback: Duration, mostMs = MAX_TIMER_MS): number {
  const ms = parse(value === undefined ? fallback : value)
  if (ms === undefined || !(ms >= 0 && ms <= mostMs)) {
    throw new OptionError(
      path,
      value,
      `a duration of at most ${Math.floor(mostMs / 86_400_000)}d: milliseconds, or a text such as "250ms", "5s", "30m", "8h"`,
    )
  }
  return ms
}

function parse(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  const parts = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(value)
  if (parts === null) return undefined
  return Number(parts[1]) * (UNIT_MS[parts[2] ?? ''] ?? Number.NaN)
}
