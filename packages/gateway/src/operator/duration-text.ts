const MINUTE_S = 60
const HOUR_S = 3_600

/** A length of time in its two largest units: `45s`, `9m 12s`, `2h 5m`. */
export function durationText(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s < MINUTE_S) return `${s}s`
  if (s < HOUR_S) return `${Math.floor(s / MINUTE_S)}m ${s % MINUTE_S}s`
  return `${Math.floor(s / HOUR_S)}h ${Math.floor((s % HOUR_S) / MINUTE_S)}m`
}
