/** Live sessions of a backend. */
export interface LiveSessions {
  readonly count: number
  /** Sessions from before this process are missing, until they are renewed. */
  readonly isEstimated: boolean
}

/** Counts the live sessions of a backend, by its id; undefined: it cannot tell. */
export type SessionCounter = (id: string) => number | undefined

/** The counters of a pool's live sessions, which its policies have. */
export class SessionCounters {
  /** All of them. */
  exact: SessionCounter = () => undefined
  /** Those that this process has seen, for as long as their number is unknown. */
  seen: SessionCounter = () => undefined

  of(id: string): LiveSessions | undefined {
    const exact = this.exact(id)
    if (exact !== undefined) return { count: exact, isEstimated: false }
    const seen = this.seen(id)
    return seen === undefined ? undefined : { count: seen, isEstimated: true }
  }
}
