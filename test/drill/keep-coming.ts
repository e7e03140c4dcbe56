import { setTimeout as delay } from 'node:timers/promises'

export interface Pace {
  /** Until the first visit. */
  readonly delayMs: number
  /** From visit to visit. */
  readonly pauseMs: number
  readonly isOver: () => boolean
}

/** Visits at fixed times, whether or not others were answered, and one after the other. */
export async function keepComing(
  visit: () => Promise<void>,
  { delayMs, pauseMs, isOver }: Pace,
): Promise<void> {
  let dueMs = performance.now() + delayMs
  while (!isOver()) {
    await delay(Math.max(0, dueMs - performance.now()))
    dueMs = Math.max(dueMs + pauseMs, performance.now())
    if (!isOver()) await visit()
  }
}
