/**
 * The time in hundredths of a millisecond. A small integer, because an object that keeps a fraction allocates a number
 * for it, and each lease keeps two. It begins anew after twelve hours.
 */
export function ticksNow(): number {
  return (performance.now() * TICKS_PER_MS) | 0
}

/** Ticks since `then`, of the last twelve hours. */
export function ticksSince(then: number): number {
  return (ticksNow() - then) >>> 0
}

export const TICKS_PER_MS = 100
