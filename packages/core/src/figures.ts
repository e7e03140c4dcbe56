import type { AffinityStatus } from './counts/affinity-status.ts'
import type { BackendFailureKind, CheckResult, EndedDrain, MoveReason } from './counts/backend-counts.ts'
import type { HistogramFigures } from './counts/histogram.ts'
import type { AdminState } from './pool/backend.ts'
import type { LivePool } from './pool/live-pool.ts'
import type { Member } from './pool/member.ts'
import type { RetryBudget } from './selection/retry-budget.ts'

/** Responses by the class of their status. */
export type ResponseClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx'

/** A drain that is under way. Times are milliseconds since the epoch. */
export interface DrainFigures {
  readonly startedAtMs: number
  /** When the sessions that are left move. */
  readonly deadlineAtMs: number
  /** From then on they move over this time, in milliseconds. */
  readonly spreadMs: number
  /** Live sessions when it began; undefined where they are not counted. */
  readonly startedSessions: number | undefined
}

/** The health checks of one backend. */
export interface CheckFigures {
  readonly passed: number
  readonly failed: number
  /** Undefined: none has ended yet. */
  readonly last: CheckResult | undefined
}

/** A backend in figures. Counts begin when it joins the pool, times are milliseconds since the epoch. */
export interface BackendFigures {
  readonly id: string
  readonly url: string
  readonly state: AdminState
  readonly healthy: boolean
  /** It says of itself that it drains. */
  readonly selfDraining: boolean
  readonly backup: boolean
  readonly weight: number
  /** The weight that balancers use: `weight`, or less of it during slow start. */
  readonly effectiveWeight: number
  /** Requests that it may have at one time; 0: any number. */
  readonly maxInFlight: number
  /** Requests that it has now, tunnels among them. */
  readonly inFlight: number
  /** WebSockets that are open. */
  readonly tunnels: number
  /** Requests that wait for this backend alone. */
  readonly queued: number
  /** Requests that it was given. */
  readonly requests: number
  readonly responses: Readonly<Record<ResponseClass, number>>
  /** From the choice of the backend to the head of its response. */
  readonly responseTimes: HistogramFigures
  /** Requests to which it did not respond, or not to the end. */
  readonly failures: number
  readonly failuresByKind: Readonly<Record<BackendFailureKind, number>>
  readonly redispatchedFrom: number
  readonly redispatchedTo: number
  /** Live sessions; undefined where no policy counts them. */
  readonly sessions: number | undefined
  /** `sessions` lacks those from before this process that were not renewed yet, or may count one more than once. */
  readonly sessionsEstimated: boolean
  /** Sessions that were given a key of this backend, and had none. */
  readonly sessionsStarted: number
  /** Sessions that left this backend, while it was a member. */
  readonly sessionsMoved: Readonly<Record<Exclude<MoveReason, 'removed'>, number>>
  /** Connections to it, idle ones among them. */
  readonly connections: number
  /** Bytes that were sent to it: heads and bodies of requests, as they are on the wire. */
  readonly bytesIn: number
  /** Bytes that came from it. */
  readonly bytesOut: number
  readonly checks: CheckFigures
  readonly turnedDown: number
  readonly turnedUp: number
  /** For how long it was down, in all. */
  readonly downMs: number
  /** The last change of its state or health. */
  readonly changedAtMs: number
  /** Undefined: it does not drain, or drains without a deadline. */
  readonly drain: DrainFigures | undefined
  /** The last drain that is over; undefined: there was none. */
  readonly lastDrain: EndedDrain | undefined
}

/** A pool in figures. */
export interface PoolFigures {
  readonly pool: string
  /** The time of these figures, and the beginning of the counts. */
  readonly atMs: number
  readonly sinceMs: number
  /** Backends that may take a new session now. */
  readonly candidates: number
  readonly backends: readonly BackendFigures[]
  /** Responses by the affinity status of their requests. */
  readonly affinity: Readonly<Record<AffinityStatus, number>>
  /** Requests at all backends, those that were removed meanwhile among them. */
  readonly inFlight: number
  /** Requests that were given a backend, each as often as it was given another. */
  readonly requests: number
  /** Requests that wait for any backend, or for one. */
  readonly queued: number
  /** Times in the queue, of requests that got a backend after it. */
  readonly queueTimes: HistogramFigures
  /** From a request's arrival to the end of its client's side; tunnels are not among them. */
  readonly durations: HistogramFigures
  /** Requests that no backend was chosen for, by the code of their error. */
  readonly refused: Readonly<Record<string, number>>
  readonly retryBudget: {
    /** Requests that may be sent again now. */
    readonly left: number
    /** Requests that could have been sent again, had there been room. */
    readonly denied: number
  }
  /** Sessions that moved because their backend had left the pool. */
  readonly sessionsOfRemoved: number
}

export function poolFigures(pool: LivePool, retryBudget: RetryBudget): PoolFigures {
  const { counts } = pool
  const atMs = pool.nowMs
  return {
    pool: pool.name,
    atMs,
    sinceMs: counts.sinceMs,
    // First, because it brings weights up to date that change by time alone.
    candidates: pool.candidates.length,
    backends: pool.members.map(member => backendFigures(pool, member, atMs)),
    affinity: { ...counts.affinity },
    inFlight: pool.inFlight,
    requests: pool.requests,
    queued: pool.queue.size,
    queueTimes: counts.queueTimes.figures,
    durations: counts.durations.figures,
    refused: Object.fromEntries(counts.refused),
    retryBudget: { left: retryBudget.left, denied: counts.retriesDenied },
    sessionsOfRemoved: counts.sessionsOfRemoved,
  }
}

function backendFigures(pool: LivePool, view: Member, nowMs: number): BackendFigures {
  const { backend, counts } = view
  const sessions = pool.liveSessions(backend.id)
  const drain = pool.drainOf(view.backend.id)
  return {
    id: backend.id,
    url: backend.url.href,
    state: view.state,
    healthy: view.healthy,
    selfDraining: view.selfDraining,
    backup: view.backup,
    weight: view.weight,
    effectiveWeight: view.effectiveWeight,
    maxInFlight: view.maxInFlight,
    inFlight: view.inFlight,
    tunnels: counts.tunnels,
    queued: pool.queue.sizeOf(view),
    requests: counts.requests,
    responses: {
      '1xx': counts.informational,
      '2xx': counts.successful,
      '3xx': counts.redirections,
      '4xx': counts.clientErrors,
      '5xx': counts.serverErrors,
    },
    responseTimes: counts.responseTimes.figures,
    failures: view.failures,
    failuresByKind: { ...counts.failures },
    redispatchedFrom: counts.redispatchedFrom,
    redispatchedTo: counts.redispatchedTo,
    sessions: sessions?.count,
    sessionsEstimated: sessions?.isEstimated === true,
    sessionsStarted: counts.sessionsStarted,
    sessionsMoved: { ...counts.sessionsMoved },
    connections: counts.connections,
    bytesIn: counts.bytesWritten,
    bytesOut: counts.bytesRead,
    checks: { passed: counts.checksPassed, failed: counts.checksFailed, last: counts.lastCheck },
    turnedDown: counts.turnedDown,
    turnedUp: counts.turnedUp,
    downMs: counts.downMs(nowMs),
    changedAtMs: counts.changedAtMs,
    drain: drain && {
      startedAtMs: drain.startedAtMs,
      deadlineAtMs: drain.deadlineAtMs,
      spreadMs: drain.spreadMs,
      startedSessions: drain.startedSessions,
    },
    lastDrain: counts.lastDrain,
  }
}
