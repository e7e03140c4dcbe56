import {
  type Affinity,
  type AffinityError,
  type AffinityOptions,
  createAffinity,
  type Lease,
  type RequestHead,
} from '@limpet/core'
import { BackendFailedError } from '@limpet/core/adapter'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { type Attempter, Attempts, type AttemptTimes } from './attempts.ts'
import { Deadlines } from './deadlines.ts'

/** Runs the tests of a file by a clock of their own. No request may leave a timer behind. */
export function useClock(): void {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
}

export const TIMEOUT_MS = 1_000
export const NO_TIMES = { responseDeadlines: new Deadlines(0), totalTimeoutMs: 0 }
const TIMES = { responseDeadlines: new Deadlines(TIMEOUT_MS), totalTimeoutMs: 0 }

/** A forwarder that only records its calls: `attempt` (with the backend), `abort` and `gaveUp`. */
export class Notes implements Attempter {
  readonly told: string[] = []
  readonly errors: BackendFailedError[] = []
  readonly affinity: Affinity
  readonly lease: Lease
  readonly attempts: Attempts

  constructor(
    request: Partial<RequestHead>,
    options: Partial<AffinityOptions> = {},
    times: AttemptTimes = TIMES,
  ) {
    const head: RequestHead = {
      method: 'GET',
      url: '/',
      httpVersion: '1.1',
      headers: { host: 'a' },
      rawHeaders: ['Host', 'a'],
      remoteAddress: '192.0.2.7',
      localPort: 80,
      encrypted: false,
      hasBody: false,
      ...request,
    }
    const backends = ['w1', 'w2', 'w3'].map(id => ({ id, url: 'http://127.0.0.1:1' }))
    this.affinity = createAffinity({ backends, affinity: [], ...options })
    this.lease = this.affinity.select(head) as Lease
    this.attempts = new Attempts(this.lease, head, times, this)
  }

  attempt(isFresh: boolean): void {
    this.told.push(`attempt at ${this.lease.backend.id}${isFresh ? ', fresh' : ''}`)
  }

  abort(error: NodeJS.ErrnoException): void {
    this.told.push(`abort: ${error.code ?? error.message}`)
  }

  inScope(work: () => void): void {
    work()
  }

  gaveUp(error: Error): void {
    if (error instanceof BackendFailedError) this.errors.push(error)
    const { statusCode, code } = error as AffinityError
    const why = error instanceof BackendFailedError ? error.failure.kind : code
    this.told.push(`gave up: ${statusCode} ${why}`)
  }

  /** Events since the last call. */
  get news(): readonly string[] {
    return this.told.splice(0)
  }

  get failures(): readonly number[] {
    return this.affinity.pool.backends.map(({ failures }) => failures)
  }

  get inFlight(): readonly number[] {
    return this.affinity.pool.backends.map(({ inFlight }) => inFlight)
  }
}

/** A request that may be repeated, whatever a backend has done with it. */
export const REPEATABLE: Partial<RequestHead> = {}
export const BODY: Partial<RequestHead> = { method: 'PUT', hasBody: true }
export const POST: Partial<RequestHead> = { method: 'POST' }

/** A request whose first attempt has been made. */
export function begun(
  request: Partial<RequestHead> = {},
  options: Partial<AffinityOptions> = {},
  times: AttemptTimes = TIMES,
): Notes {
  const notes = new Notes(request, options, times)
  notes.attempts.begin()
  vi.advanceTimersByTime(0)
  expect(notes.news).toEqual(['attempt at w1'])
  return notes
}

export const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
export const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
export const notHttp = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_CONSTANT' })
