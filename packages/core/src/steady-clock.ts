const START_MS = Date.now() - performance.now()

/**
 * Milliseconds since the epoch by the system's clock at the start of this process, and even from then on: when the
 * clock is set, no learned session ends early or late.
 */
export function steadyNow(): number {
  return START_MS + performance.now()
}
