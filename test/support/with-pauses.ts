import { setTimeout as delay } from 'node:timers/promises'

/** Of the limit: the length of a pause, and the longest that it may become for the result to count. */
const [PAUSE_SHARE, LATE_SHARE] = [0.35, 0.6]
const ROUNDS = 6

/**
 * Shows that pauses within a time limit do no harm. On a slow machine a pause may become longer than the limit, which
 * shows nothing: it is shown again, with a limit that is twice as long.
 */
export async function withPauses(
  limitMs: number,
  show: (limitMs: number, pause: () => Promise<void>) => Promise<void>,
): Promise<void> {
  for (let [round, ms] = [1, limitMs]; ; round += 1, ms *= 2) {
    let [lastMs, longestMs] = [Number.NaN, 0]
    async function pause(): Promise<void> {
      if (Number.isNaN(lastMs)) lastMs = performance.now()
      await delay(ms * PAUSE_SHARE)
      const nowMs = performance.now()
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
    }
    try {
      await show(ms, pause)
      return
    } catch (error) {
      if (longestMs < ms * LATE_SHARE || round === ROUNDS) throw error
    }
  }
}
