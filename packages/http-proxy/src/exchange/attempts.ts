import {
  type AffinityError,
  BackendFailedError,
  type Failure,
  isAffinityError,
  isRepeatable,
  type Lease,
  type RequestHead,
} from '@limpet/core'
import { failureOf, responseTimeout } from '../failure.ts'

/** Who makes the attempts: it knows the forwarder, and nothing of when one is due. */
export interface Attempter {
  /** Makes an attempt at the lease's backend. @param isFresh by a connection that nobody has used */
  attempt(isFresh: boolean): void
  /** Ends the attempt that is under way. */
  abort(error: Error): void
  /** There will be no more: what the client is to be told, or is to notice, where it has a part of an answer. */
  gaveUp(error: AffinityError): void
}

/**
 * The attempts at one request, whichever forwarder makes them: when the first is due, how long one may take, and
 * what a failure leads to.
 */
export class Attempts {
  readonly #lease: Lease
  readonly #request: RequestHead
  readonly #responseTimeoutMs: number
  readonly #attempter: Attempter
  #timer: NodeJS.Timeout | undefined
  #isStarted = false
  #isUsed = false
  #isFresh = false
  #hasResponded = false
  #isOver = false

  constructor(lease: Lease, request: RequestHead, responseTimeoutMs: number, attempter: Attempter) {
    this.#lease = lease
    this.#request = request
    this.#responseTimeoutMs = responseTimeoutMs
    this.#attempter = attempter
  }

  /** Whether the client has left, or there are no more attempts. */
  get isOver(): boolean {
    return this.#isOver
  }

  begin(): void {
    if (isRepeatable(this.#request)) this.#next()
    // What cannot be repeated had better not meet a connection whose end has arrived and was not looked at yet:
    // by the next turn of the event loop it has been.
    else setImmediate(() => this.#next())
  }

  /** A live connection has the request. @param isUsed it has had others before */
  started(isUsed: boolean): void {
    this.#isStarted = true
    this.#lease.connected()
    this.#isUsed = isUsed
    const ms = this.#responseTimeoutMs
    if (this.#isOver) this.#attempter.abort(new Error('the client left'))
    else if (ms > 0) this.#timer = setTimeout(() => this.#attempter.abort(responseTimeout(ms)), ms)
  }

  /** The request's body moves on: a long upload is not a slow answer. */
  progress(): void {
    if (!this.#hasResponded) this.#timer?.refresh()
  }

  /** The head of the answer is here. */
  responded(): void {
    clearTimeout(this.#timer)
    this.#hasResponded = true
  }

  /** No connection; whether the lease has moved, for an attempter that goes on by itself. */
  unreached(error: Error): boolean {
    return !this.#isOver && this.#lease.redispatch(failureOf(error, false, false)) !== undefined
  }

  /** The attempt has failed: another is made where that is safe, or the client is told. */
  failed(error: unknown): void {
    clearTimeout(this.#timer)
    if (this.#isOver) return
    if (isAffinityError(error)) {
      this.#end(error)
      return
    }
    const failure = failureOf(error, this.#isStarted, this.#hasResponded)
    if (this.#isStale(failure)) {
      this.#isFresh = true
      this.#next()
    } else if (this.#lease.redispatch(failure) === undefined) {
      this.#end(new BackendFailedError(this.#lease.backend, failure))
    } else {
      this.#next()
    }
  }

  /** The attempt has failed, and the lease has been asked already. */
  exhausted(error: unknown): void {
    if (!this.#isOver) this.#end(new BackendFailedError(this.#lease.backend, failureOf(error, false, false)))
  }

  /** The client's side has closed. */
  close(): void {
    clearTimeout(this.#timer)
    this.#isOver = true
  }

  /**
   * A used connection that dies under a request says nothing of the backend, and the session is to stay there. Once:
   * then it goes by a fresh connection, whose end is the backend's doing.
   */
  #isStale({ kind }: Failure): boolean {
    return kind === 'broken' && this.#isUsed && !this.#isFresh && isRepeatable(this.#request)
  }

  #next(): void {
    if (this.#isOver) return
    this.#isStarted = false
    this.#isUsed = false
    this.#attempter.attempt(this.#isFresh)
  }

  #end(error: AffinityError): void {
    this.close()
    this.#attempter.gaveUp(error)
  }
}
