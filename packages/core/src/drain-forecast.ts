import type { BackendFigures } from './figures.ts'

/** How far a drain is, and when it is expected to be over. */
export interface DrainForecast {
  /** The part of it that is over, from 0 to 1: of its sessions, or of its time where sessions are not counted. */
  readonly done: number
  /** Its expected end, in milliseconds since the epoch: never after the deadline and the spread. */
  readonly endAtMs: number
  /** Whether the end follows from the pace of its sessions so far; otherwise it is the latest one. */
  readonly isByPace: boolean
}

/** In less time, the pace of sessions is chance. */
const MIN_PACE_MS = 5_000

/**
 * The forecast of a drain, from the figures of its backend.
 * @param nowMs milliseconds since the epoch; the time of the figures
 * @returns undefined without a drain that has a deadline
 */
export function drainForecast(
  { drain, sessions }: Pick<BackendFigures, 'drain' | 'sessions'>,
  nowMs: number,
): DrainForecast | undefined {
  if (drain === undefined) return undefined
  const { startedAtMs, deadlineAtMs, spreadMs, startedSessions = 0 } = drain
  const latestMs = deadlineAtMs + spreadMs
  const passedMs = nowMs - startedAtMs
  if (sessions === undefined || startedSessions === 0)
    return { done: within(passedMs / (latestMs - startedAtMs)), endAtMs: latestMs, isByPace: false }
  const done = within(1 - sessions / startedSessions)
  const endAtMs = done === 0 ? Infinity : startedAtMs + passedMs / done
  // Without a session it waits for requests, which have no pace.
  const isByPace = sessions > 0 && passedMs >= MIN_PACE_MS && endAtMs < latestMs
  return { done, endAtMs: isByPace ? endAtMs : latestMs, isByPace }
}

/** A share. A drain of no time at all is over. */
function within(share: number): number {
  return Number.isNaN(share) ? 1 : Math.min(1, Math.max(0, share))
}
