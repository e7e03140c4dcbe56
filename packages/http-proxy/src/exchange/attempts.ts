import { type Backend, type Failure, isAffinityError, type Lease, type RequestHead } from '@limpet/core'
import { attemptError, isRepeatable, withDecision } from '@limpet/core/adapter'
import type { Deadline, Deadlines, Timed } from './deadlines.ts'
import type { RequestRecord } from './limpet-info.ts'
import { withResendCount } from '../tracing/resend-count.ts'
import {
  ApplicationError,
  backendDown,
  failureOf,
  isUnwritable,
  responseTimeout,
  totalTimeout,
} from '../failure.ts'

/** Makes the attempts: it knows the forwarder, and nothing of when an attempt is due. */
export interface Attempter {
  /** Makes an attempt at the lease's backend. @param isFresh by a connection that has carried no other request */
  attempt(isFresh: boolean): void
  /** Ends the attempt that is under way. Its failure is then reported as that of any other. */
  abort(error: Error): void
  /**
   * There are no more attempts: the client is to get `error`, or a cut where it has a part of a response. An error of
   * another kind than AffinityError is the application's, as of a policy that throws.
   */
  gaveUp(error: Error): void
  /** Calls `work` in the async context of the request. */
  inScope(work: () => void): void
}

/** The times that the attempts at a request have. */
export interface AttemptTimes {
  /** For the response to each attempt. */
  readonly responseDeadlines: Deadlines
  /** For all of them together, in milliseconds; 0: any. */
  readonly totalTimeoutMs: number
}

/**
 * The attempts at one request, whichever forwarder makes them: when the first is due, how long one may take, and
 * what a failure leads to. The one loop for refused and broken connections, timeouts, failed responses and handshakes.
 */
export class Attempts implements Timed {
  readonly #lease: Lease
  readonly #request: RequestHead
  readonly #times: AttemptTimes
  readonly #attempter: Attempter
  readonly #record: RequestRecord | undefined
  #deadline: Deadline | undefined
  #total: NodeJS.Timeout | undefined
  #made = 0
  #isStarted = false
  #isReused = false
  #isFresh = false
  #hasResponded = false
  /** The backend whose attempt is being ended, while the lease has moved on already. */
  #leaving: Backend | undefined
  #isOver = false
  /** The error of a balancer that could not choose another backend. */
  #thrown: Error | undefined

  /** @param record the request's, to be written into */
  constructor(
    lease: Lease,
    request: RequestHead,
    times: AttemptTimes,
    attempter: Attempter,
    record?: RequestRecord,
  ) {
    this.#record = record
    this.#lease = lease
    this.#request = request
    this.#times = times
    this.#attempter = attempter
  }

  /** Whether the client has left, or there are no more attempts. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** @param isFresh every attempt goes by a connection of its own */
  begin(isFresh = false): void {
    this.#isFresh = isFresh
    const { totalTimeoutMs } = this.#times
    if (totalTimeoutMs > 0) this.#total = setTimeout(() => this.#takesTooLong(totalTimeoutMs), totalTimeoutMs)
    if (isFresh || isRepeatable(this.#request)) this.#attempt()
    // A request that cannot be repeated must not meet a connection whose end has arrived unnoticed:
    // by the next turn of the event loop Node has noticed it.
    else setImmediate(() => this.#attempt())
  }

  /** A live connection has the request. @param isReused it has carried others before */
  started(isReused: boolean): void {
    this.#isStarted = true
    this.#isReused = isReused
    this.#lease.connected(isRepeatable(this.#request) ? this.#onDown : undefined)
    if (this.#isOver) this.#attempter.abort(new Error('the client left'))
    else this.#deadline = this.#times.responseDeadlines.start(this)
  }

  /** The response to the attempt takes too long. */
  timedOut(): void {
    const { ms } = this.#times.responseDeadlines
    this.#attempter.inScope(() => this.#attempter.abort(responseTimeout(ms)))
  }

  /** The request's body moves on: a long upload is not a slow response. */
  progress(): void {
    if (!this.#hasResponded) this.#times.responseDeadlines.refresh(this.#deadline)
  }

  /**
   * The head of a response is here.
   * @returns whether it is for the client; else the attempter ends the attempt, and reports that it has failed
   */
  responded(statusCode: number): boolean {
    if (this.#isOver || this.#leaving !== undefined) return false
    this.#times.responseDeadlines.end(this.#deadline)
    if (this.#lease.retries(statusCode)) {
      const { backend } = this.#lease
      if (this.#goesOn(statusFailure(statusCode))) {
        this.#leaving = backend
        return false
      }
    }
    clearTimeout(this.#total)
    this.#hasResponded = true
    this.#record?.ended('responded')
    return true
  }

  /** The attempt has failed: another is made where that is safe, or the client gets an error. */
  failed(error: unknown): void {
    this.#times.responseDeadlines.end(this.#deadline)
    if (this.#isOver) return
    if (this.#leaving !== undefined) {
      this.#leaving = undefined
      this.#attempt()
      return
    }
    if (error instanceof ApplicationError) {
      this.#end(error.cause as Error)
      return
    }
    if (isAffinityError(error) || isUnwritable(error)) {
      this.#end(error as Error)
      return
    }
    const isReused = this.#isReused && !this.#isFresh
    const failure = failureOf(error, {
      isStarted: this.#isStarted,
      isReused,
      hasResponded: this.#hasResponded,
    })
    if (isReused && failure.kind === 'broken') this.#isFresh = true
    if (this.#goesOn(failure)) this.#attempt()
    else this.#end(this.#thrown ?? attemptError(this.#lease.backend, failure))
  }

  /** The client's side has closed. */
  close(): void {
    this.#times.responseDeadlines.end(this.#deadline)
    clearTimeout(this.#total)
    this.#isOver = true
  }

  /** The pool tells, in the context of whatever has found the backend down. A request without another place waits on. */
  readonly #onDown = (): void => {
    if (this.#isOver || this.#leaving !== undefined) return
    this.#attempter.inScope(() => {
      const { backend } = this.#lease
      const cause = backendDown()
      if (!this.#moves({ kind: 'down', slow: false, cause })) return
      this.#record?.ended('down')
      this.#leaving = backend
      this.#attempter.abort(cause)
    })
  }

  #goesOn(failure: Failure): boolean {
    this.#record?.ended(failure.kind)
    this.#lease.failed(failure)
    return this.#moves(failure)
  }

  /** A balancer of the application's own may throw here, in an event of a socket or of another request. */
  #moves(failure: Failure): boolean {
    try {
      return this.#lease.next(failure) !== undefined
    } catch (error) {
      this.#thrown = error instanceof Error ? error : new Error(String(error))
      return false
    }
  }

  #takesTooLong(ms: number): void {
    if (this.#isOver) return
    const failure: Failure = { kind: 'timeout', slow: true, cause: totalTimeout(ms) }
    this.#record?.ended('timeout')
    this.#attempter.inScope(() => {
      // Between two attempts no backend has the request: the last one was told of its failure, the next has none.
      if (this.#leaving === undefined) this.#lease.failed(failure)
      this.#end(attemptError(this.#leaving ?? this.#lease.backend, failure))
      this.#attempter.abort(totalTimeout(ms))
    })
  }

  #attempt(): void {
    if (this.#isOver) return
    this.#isStarted = false
    this.#isReused = false
    this.#record?.began(this.#lease.backend.id)
    const resent = this.#made
    this.#made += 1
    try {
      if (resent === 0) this.#attempter.attempt(this.#isFresh)
      else withResendCount(resent, () => this.#attempter.attempt(this.#isFresh))
    } catch (error) {
      // A policy of the application's own could not say what to forward.
      this.#end(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #end(error: Error): void {
    this.close()
    const { explanation } = this.#lease
    const isExplained = explanation !== undefined && isAffinityError(error)
    this.#attempter.gaveUp(isExplained ? withDecision(error, explanation) : error)
  }
}

function statusFailure(statusCode: number): Failure {
  return { kind: 'status', slow: false, cause: new Error(`status ${statusCode}`) }
}
