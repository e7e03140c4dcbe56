const MIN_MS = 200
const MAX_MS = 30_000

/**
 * How long to wait after so many failures in a row: twice as long each time, up to half a minute, and a random share less,
 * so that many gateways do not come back at one moment.
 */
export function backoffMs(failures: number, random = Math.random()): number {
  if (failures === 0) return 0
  const mostMs = Math.min(MAX_MS, MIN_MS * 2 ** Math.min(failures - 1, 16))
  return mostMs * (0.5 + random / 2)
}
