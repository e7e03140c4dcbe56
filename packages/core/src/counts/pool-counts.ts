import type { AffinityStatus } from './affinity-status.ts'
import { Histogram } from './histogram.ts'

/** Everything that is counted of one pool as a whole. A pool that takes over from another continues with the same object. */
export class PoolCounts {
  /** The beginning, in milliseconds since the epoch. */
  readonly sinceMs: number
  /** Responses by the affinity status of their requests. */
  readonly affinity: Record<AffinityStatus, number> = {
    none: 0,
    invalid: 0,
    expired: 0,
    unknown: 0,
    unavailable: 0,
    matched: 0,
  }
  /** Requests that no backend was chosen for, by the code of their error. */
  readonly refused = new Map<string, number>()
  /** From a request's arrival to the end of its client's side. Tunnels are not among them. */
  readonly durations = new Histogram()
  /** Times in the queue, of requests that had to wait for a backend and got one. */
  readonly queueTimes = new Histogram()
  /** Sessions whose backend had left the pool. */
  sessionsOfRemoved = 0
  /** Requests that could have been sent again, had the retry budget had room. */
  retriesDenied = 0

  constructor(nowMs: number) {
    this.sinceMs = nowMs
  }

  refuse(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1)
  }
}
