import type { AffinityStatus, FailureKind, Lease } from '@limpet/core'

/** One attempt at a request. */
export interface AttemptInfo {
  /** The id of the backend. */
  readonly backend: string
  /** The attempt's end: a response's head, or the kind of its failure; undefined while it is under way. */
  readonly outcome: 'responded' | FailureKind | undefined
  /** Since the request came to the pool, in milliseconds. */
  readonly startedMs: number
  /** Until the head of the response, or until the failure, in milliseconds; undefined while it is under way. */
  readonly durationMs: number | undefined
}

/** The pool's part in a request, for logs, hooks and header fields. It grows while the request is on its way. */
export interface LimpetInfo {
  /** The name of the pool. */
  readonly pool: string
  /** The id of the backend that has the request, or that responded; undefined until one is chosen. */
  readonly backend: string | undefined
  /** The result of the look at the session's keys; undefined until a backend is chosen. */
  readonly status: AffinityStatus | undefined
  /** In their order. Several attempts at one backend are possible, by another connection. */
  readonly attempts: readonly AttemptInfo[]
  /** Time that the request waited for a backend, in milliseconds. */
  readonly queuedMs: number
}

/** An attempt, as the proxy writes it. */
type WrittenAttempt = { -readonly [Key in keyof AttemptInfo]: AttemptInfo[Key] }

/** The same, as the proxy writes it. A new one belongs to each request. */
export class RequestRecord implements LimpetInfo {
  readonly pool: string
  attempts: WrittenAttempt[] = []
  queuedMs = 0
  /** Until there is a response or an error: the request must not be forwarded once more meanwhile. */
  isUnderWay = true
  readonly #arrivedMs = performance.now()
  #lease: Lease | undefined

  /** @param pool the name of the pool, `proxy.affinity.pool.name` */
  constructor(pool: string) {
    this.pool = pool
  }

  get backend(): string | undefined {
    return this.#lease?.backend.id
  }

  get status(): AffinityStatus | undefined {
    return this.#lease?.status
  }

  /** A backend was chosen. */
  placed(lease: Lease): void {
    this.#lease = lease
    this.queuedMs = performance.now() - this.#arrivedMs
  }

  /** An attempt begins. */
  began(backend: string): void {
    const startedMs = performance.now() - this.#arrivedMs
    const attempt: WrittenAttempt = { backend, outcome: undefined, startedMs, durationMs: undefined }
    // V8 gives an empty array that grows the room for 17, and most requests have one attempt.
    if (this.attempts.length === 0) this.attempts = [attempt]
    else this.attempts.push(attempt)
  }

  /** The last attempt has ended. Only the first end counts. */
  ended(outcome: 'responded' | FailureKind): void {
    if (outcome === 'responded') this.isUnderWay = false
    const last = this.attempts.at(-1)
    if (last === undefined || last.outcome !== undefined) return
    last.outcome = outcome
    last.durationMs = performance.now() - this.#arrivedMs - last.startedMs
  }

  /** The object that a logger writes. */
  toJSON(): LimpetInfo {
    const { pool, backend, status, attempts, queuedMs } = this
    return { pool, backend, status, attempts, queuedMs }
  }
}
