/** A count with separators, as 1,234. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(THOUSANDS, ',')
}

/** Without Intl, whose data would cost every process that loads this module 17 MB. */
const THOUSANDS = /\B(?=(?:\d{3})+$)/g

/** A rate with one decimal below ten. */
export function rateText(perSecond: number): string {
  return perSecond < 10 ? String(Math.round(perSecond * 10) / 10) : countText(perSecond)
}

/** A count of things, as `1 request` or `3 requests`. */
export function things(count: number, one: string): string {
  return `${countText(count)} ${one}${count === 1 ? '' : 's'}`
}

const UNITS: readonly [ms: number, unit: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/** A duration in its two largest units, as `4 min 12 s`. */
export function durationText(ms: number): string {
  const parts: string[] = []
  let rest = Math.max(0, Math.round(ms / 1_000)) * 1_000
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}`)
    // The unit below a missing one says nothing: `1 d 3 s`.
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break
  }
  return parts.join(' ') || '0 s'
}

/** The same in words, for sentences. */
export function durationWords(ms: number): string {
  const words = { d: 'day', h: 'hour', min: 'minute', s: 'second' } as Readonly<Record<string, string>>
  return durationText(ms).replaceAll(/(\d+) (\w+)/g, (_, count: string, unit: string) =>
    things(Number(count), words[unit] ?? unit),
  )
}

/** Milliseconds of a latency. */
export function msText(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : durationText(ms)
}

/** Bytes with a unit of 1024. */
export function bytesText(bytes: number): string {
  let size = bytes
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (size < 1024) return `${Math.round(size * 10) / 10} ${unit}`
    size /= 1024
  }
  return `${Math.round(size * 10) / 10} TiB`
}

/** The time of day in UTC, as 14:32:10. */
export function clockText(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19)
}

/** A backend's url without the slash of an empty path. */
export function addressText({ url }: { readonly url: string }): string {
  return url.replace(/^(https?:\/\/[^/]+)\/$/, '$1')
}

/** The reasons of moves that occurred, as `12 drained, 3 failed`. */
export function reasonsText(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${countText(count)} ${reason}`)
    .join(', ')
}
