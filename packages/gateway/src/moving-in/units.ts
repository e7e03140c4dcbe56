const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
}

/** The longest that a timer of limpet takes, and the longest life of a cookie. */
const MAX_TIMER_MS = 24 * 86_400_000
const MAX_INTERVAL_MS = 86_400_000
export const MAX_LIFE_MS = 400 * 86_400_000

type Unit = 'ms' | 's'

/**
 * A duration of nginx, HAProxy or Go, as limpet writes it.
 * @param text as `90`, `5s`, `1h30m` or `1.5h`
 * @param bare the unit of a number without one
 * @returns undefined for another text, and for a time that limpet does not take
 */
export function durationIn(text: string, bare: Unit, mostMs = MAX_TIMER_MS): string | undefined {
  const ms = msIn(text, bare)
  return ms === undefined || ms > mostMs ? undefined : durationText(ms)
}

/** The same for an interval of checks, which limpet takes from 10 ms to a day. Undefined for 0, too. */
export function intervalIn(text: string, bare: Unit): string | undefined {
  const ms = msIn(text, bare)
  if (ms === undefined || ms === 0) return undefined
  return durationText(Math.min(Math.max(ms, 10), MAX_INTERVAL_MS))
}

/** The same for a life that limpet counts in seconds: one at least. Undefined for 0, too. */
export function lifeIn(text: string, bare: Unit): string | undefined {
  const ms = msIn(text, bare)
  if (ms === undefined || ms === 0) return undefined
  return durationText(Math.min(Math.max(ms, 1000), MAX_TIMER_MS))
}

function msIn(text: string, bare: Unit): number | undefined {
  if (text.length > 40) return undefined
  if (/^\d+$/.test(text)) return Number(text) * (UNIT_MS[bare] ?? 1)
  if (!/^(?:\d+(?:\.\d+)?(?:us|ms|[smhdwMy])\s*)+$/.test(text)) return undefined
  let sum = 0
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|[smhdwMy])/g))
    sum += Number(count) * (UNIT_MS[unit] ?? Number.NaN)
  return sum
}

/** Under a millisecond is one. */
function durationText(exact: number): string {
  const ms = Math.ceil(exact)
  if (ms === 0) return '0s'
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] ?? 1
    if (ms % size === 0) return `${ms / size}${unit}`
  }
  return `${ms}ms`
}

const SIZES: Readonly<Record<string, string>> = { '': 'B', k: 'KiB', m: 'MiB', g: 'GiB' }

/** A size of nginx, as `10m`, the way limpet writes it. */
export function sizeIn(text: string): string | undefined {
  const [, count = '', unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? []
  return count === '' ? undefined : `${Number(count)}${SIZES[unit.toLowerCase()] ?? 'B'}`
}

/** A whole number within bounds. */
export function integerIn(text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined
  const value = Number(text)
  return value >= least && value <= most ? value : undefined
}
