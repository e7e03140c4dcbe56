import type { OutlierDetectionSettings } from './outlier-detection.ts'

/** How a pool treats all of its backends. Durations in milliseconds. */
export interface PoolSettings {
  /** Outlier detection by the results of requests; undefined: off. */
  readonly passive: OutlierDetectionSettings | undefined
  /** In which a backend that comes back, or is new, gets to its whole share of new sessions; 0: at once. */
  readonly slowStartMs: number
  /** Requests that a backend may have at one time, where it does not say; 0: any number. */
  readonly maxInFlight: number
  /** Maximum of requests that wait for one backend, and of those that wait for any. */
  readonly maxQueue: number
  /** For which a member that discovery has removed is remembered, so that its sessions are not placed anew; 0: not at all. */
  readonly removedGraceMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export const POOL_SETTINGS: PoolSettings = {
  passive: undefined,
  slowStartMs: 0,
  maxInFlight: 0,
  maxQueue: 256,
  removedGraceMs: 0,
  now: Date.now,
}
