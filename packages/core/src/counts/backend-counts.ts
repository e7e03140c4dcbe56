import type { FailureKind } from '../failure.ts'
import { Histogram } from './histogram.ts'

/** The end of a drain. Times are milliseconds since the epoch. */
export interface EndedDrain {
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** No session was left; the deadline passed; or a state was commanded, or the backend left the pool. */
  readonly outcome: 'drained' | 'deadline' | 'cancelled'
  /** Requests that were still there. */
  readonly inFlight: number
  /** Sessions that were left, and move; undefined when sessions are not counted. */
  readonly sessions: number | undefined
  /** `sessions` are those that this process has seen: there may be more from before it. */
  readonly sessionsEstimated: boolean
}

/** Why a session has left its backend. */
export type MoveReason = 'failed' | 'drained' | 'full' | 'removed' | 'rebalanced'

/** Failures that say something about a backend. */
export type BackendFailureKind = Exclude<FailureKind, 'local'>

/** The result of a health check. */
export interface CheckResult {
  readonly healthy: boolean
  /** Why it failed. */
  readonly problem: string | undefined
  readonly durationMs: number
  /** Its end, in milliseconds since the epoch. */
  readonly atMs: number
}

/** A connection to a backend, as Node's sockets are. */
export interface CountedConnection {
  readonly bytesRead: number
  readonly bytesWritten: number
  on(event: 'close', listener: () => void): unknown
}

/**
 * Everything that is counted of one backend, since it joined its pool. A pool that takes over from another continues
 * with the same object, so that requests that are still in flight at the other are counted, too.
 */
export class BackendCounts {
  requests = 0
  /** Responses by the class of their status. */
  informational = 0
  successful = 0
  redirections = 0
  clientErrors = 0
  serverErrors = 0
  /** From the choice of this backend to the head of its response. */
  readonly responseTimes = new Histogram()
  /** WebSockets that are open now. */
  tunnels = 0
  readonly failures: Record<BackendFailureKind, number> = {
    unreached: 0,
    timeout: 0,
    broken: 0,
    down: 0,
    protocol: 0,
    status: 0,
    truncated: 0,
  }
  redispatchedFrom = 0
  redispatchedTo = 0
  /** Sessions that were given a key of this backend, and had none. */
  sessionsStarted = 0
  /** Sessions that have left this backend for another. */
  readonly sessionsMoved: Record<Exclude<MoveReason, 'removed'>, number> = {
    failed: 0,
    drained: 0,
    full: 0,
    rebalanced: 0,
  }
  checksPassed = 0
  checksFailed = 0
  lastCheck: CheckResult | undefined
  lastDrain: EndedDrain | undefined
  /** How often it was found down, and up again. */
  turnedDown = 0
  turnedUp = 0
  /** The last change of its state or health, in milliseconds since the epoch. */
  changedAtMs: number
  /** Since when it is down. */
  downSinceMs: number | undefined
  /** The sum of the times for which it was down. */
  #downMs = 0
  #closedRead = 0
  #closedWritten = 0
  readonly #connections = new Set<CountedConnection>()
  /** One listener for all connections, which Node calls with the connection as `this`: there are many of them. */
  readonly #closed: (this: CountedConnection) => void

  /** @param nowMs milliseconds since the epoch */
  constructor(nowMs: number) {
    this.changedAtMs = nowMs
    const forget = (connection: CountedConnection): void => {
      if (!this.#connections.delete(connection)) return
      this.#closedRead += connection.bytesRead
      this.#closedWritten += connection.bytesWritten
    }
    this.#closed = function () {
      forget(this)
    }
  }

  /** @param ticks until the head of the response */
  responded(statusCode: number, ticks: number): void {
    if (statusCode < 200) this.informational += 1
    else if (statusCode < 300) this.successful += 1
    else if (statusCode < 400) this.redirections += 1
    else if (statusCode < 500) this.clientErrors += 1
    else this.serverErrors += 1
    this.responseTimes.record(ticks)
  }

  failed(kind: FailureKind): void {
    if (kind !== 'local') this.failures[kind] += 1
  }

  get allFailures(): number {
    return Object.values(this.failures).reduce((sum, count) => sum + count, 0)
  }

  checked(result: CheckResult): void {
    if (result.healthy) this.checksPassed += 1
    else this.checksFailed += 1
    this.lastCheck = result
  }

  /** Its health has changed. */
  turned(healthy: boolean, nowMs: number): void {
    this.changedAtMs = nowMs
    if (healthy) {
      this.turnedUp += 1
      this.#downMs = this.downMs(nowMs)
      this.downSinceMs = undefined
    } else {
      this.turnedDown += 1
      this.downSinceMs ??= nowMs
    }
  }

  /** How long it was down in all, in milliseconds. */
  downMs(nowMs: number): number {
    return this.#downMs + (this.downSinceMs === undefined ? 0 : Math.max(0, nowMs - this.downSinceMs))
  }

  /** A connection is open. Its bytes are read when they are asked for, so a request pays nothing. */
  connected(connection: CountedConnection): void {
    this.#connections.add(connection)
    connection.on('close', this.#closed)
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Bytes that came from the backend. */
  get bytesRead(): number {
    let sum = this.#closedRead
    for (const { bytesRead } of this.#connections) sum += bytesRead
    return sum
  }

  /** Bytes that went to the backend. */
  get bytesWritten(): number {
    let sum = this.#closedWritten
    for (const { bytesWritten } of this.#connections) sum += bytesWritten
    return sum
  }
}
