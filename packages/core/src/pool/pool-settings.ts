import type { OutlierDetectionSettings } from './outlier-detection.ts'

/** How a pool treats all of its backends. Durations in milliseconds. */
export interface PoolSettings {
  /** How requests find out who is sick; undefined: they do not. */
  readonly passive: OutlierDetectionSettings | undefined
  /** In which a backend that comes back, or is new, gets to its whole share of new sessions; 0: at once. */
  readonly slowStartMs: number
  /** Requests that a backend may have at one time, where it does not say; 0: any number. */
  readonly maxInFlight: number
  /** Requests that may wait for one backend, and that may wait for anybody. */
  readonly maxQueue: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export const POOL_SETTINGS: PoolSettings = {
  passive: undefined,
  slowStartMs: 0,
  maxInFlight: 0,
  maxQueue: 256,
  now: Date.now,
}
