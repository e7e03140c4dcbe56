import {
  type Affinity,
  type AffinityError,
  type AffinityOptions,
  createAffinity,
  type Lease,
  type RequestHead,
} from '@limpet/core'
import { BackendFailedError } from '@limpet/core/adapter'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Attempter, Attempts, type AttemptTimes } from './attempts.ts'
import { RESPONSE_TIMEOUT, responseTimeout } from '../failure.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  // Whatever becomes of a request, no timer of it is left.
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const TIMEOUT_MS = 1_000
const NO_TIMES = { responseTimeoutMs: 0, totalTimeoutMs: 0 }
const TIMES = { responseTimeoutMs: TIMEOUT_MS, totalTimeoutMs: 0 }

/** A forwarder that only records its calls: `attempt` (with the backend), `abort` and `gaveUp`. */
class Notes implements Attempter {
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

/** Requests of which it is certain that nothing has come of them, whatever a backend does before it answers. */
const REPEATABLE: Partial<RequestHead> = {}
const BODY: Partial<RequestHead> = { method: 'PUT', hasBody: true }
const POST: Partial<RequestHead> = { method: 'POST' }

/** One whose first attempt is due and has been made. */
function begun(
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

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const notHttp = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_CONSTANT' })

describe('the first attempt', () => {
  it('is made at once for a repeatable request', () => {
    const notes = new Notes(REPEATABLE)
    notes.attempts.begin()
    expect(notes.news).toEqual(['attempt at w1'])
  })

  it.each([BODY, POST])('waits for a turn of the event loop for any other: %o', request => {
    const notes = new Notes(request)
    notes.attempts.begin()
    expect(notes.news).toEqual([])
    vi.advanceTimersByTime(0)
    expect(notes.news).toEqual(['attempt at w1'])
  })

  it('is not made for a client that has left meanwhile', () => {
    const notes = new Notes(POST)
    notes.attempts.begin()
    notes.attempts.close()
    vi.advanceTimersByTime(0)
    expect(notes.news).toEqual([])
  })
})

describe('the time for an answer', () => {
  it('begins when a connection has the request, and not before', () => {
    const notes = begun()
    vi.advanceTimersByTime(10 * TIMEOUT_MS)
    notes.attempts.started(false)
    vi.advanceTimersByTime(TIMEOUT_MS - 1)
    expect(notes.news).toEqual([])
    vi.advanceTimersByTime(1)
    expect(notes.news).toEqual([`abort: ${RESPONSE_TIMEOUT}`])
  })

  it('begins anew with every piece of the body', () => {
    const notes = begun(BODY)
    notes.attempts.started(false)
    for (let pieces = 0; pieces < 10; pieces += 1) {
      vi.advanceTimersByTime(TIMEOUT_MS - 1)
      notes.attempts.progress()
    }
    expect(notes.news).toEqual([])
    vi.advanceTimersByTime(TIMEOUT_MS)
    expect(notes.news).toEqual([`abort: ${RESPONSE_TIMEOUT}`])
  })

  it('ends with the head of the answer, and pieces of the body that come later do not begin it again', () => {
    const notes = begun(BODY)
    notes.attempts.started(false)
    notes.attempts.responded(200)
    notes.attempts.progress()
    vi.advanceTimersByTime(2 * TIMEOUT_MS)
    expect(notes.news).toEqual([])
  })

  it('is that of each attempt by itself', () => {
    const notes = begun()
    notes.attempts.started(false)
    vi.advanceTimersByTime(TIMEOUT_MS - 1)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w2'])
    vi.advanceTimersByTime(TIMEOUT_MS)
    notes.attempts.started(false)
    vi.advanceTimersByTime(TIMEOUT_MS - 1)
    expect(notes.news).toEqual([])
    vi.advanceTimersByTime(1)
    expect(notes.news).toEqual([`abort: ${RESPONSE_TIMEOUT}`])
  })

  it('is for ever when it is 0', () => {
    const { lease } = new Notes({})
    const aborts: Error[] = []
    const attempter = {
      attempt() {},
      gaveUp() {},
      inScope() {},
      abort: (error: Error) => void aborts.push(error),
    }
    const attempts = new Attempts(
      lease,
      { method: 'GET', hasBody: false } as RequestHead,
      NO_TIMES,
      attempter,
    )
    attempts.begin()
    attempts.started(false)
    vi.advanceTimersByTime(2 ** 31)
    expect(aborts).toEqual([])
  })
})

describe('an attempt that has failed', () => {
  it.each([REPEATABLE, BODY, POST])('for want of a connection goes to the next backend: %o', request => {
    const notes = begun(request)
    notes.attempts.failed(refused)
    notes.attempts.failed(refused)
    expect(notes.news).toEqual(['attempt at w2', 'attempt at w3'])
    notes.attempts.failed(refused)
    expect(notes.news).toEqual(['gave up: 502 unreached'])
    expect(notes.failures).toEqual([1, 1, 1])
  })

  it('goes to no more backends than it may', () => {
    const notes = begun({}, { maxAttempts: 2 })
    notes.attempts.failed(refused)
    notes.attempts.failed(refused)
    expect(notes.news).toEqual(['attempt at w2', 'gave up: 502 unreached'])
  })

  it.each([
    ['broken', reset, 502],
    ['timeout', responseTimeout(TIMEOUT_MS), 504],
  ])('when a live connection had it (%s) goes on only if it can be repeated', (kind, error, status) => {
    const repeatable = begun()
    repeatable.attempts.started(false)
    repeatable.attempts.failed(error)
    expect(repeatable.news).toEqual(['attempt at w2'])
    for (const request of [BODY, POST]) {
      const notes = begun(request)
      notes.attempts.started(false)
      notes.attempts.failed(error)
      expect(notes.news).toEqual([`gave up: ${status} ${kind}`])
      expect(notes.failures).toEqual([1, 0, 0])
    }
  })

  it('for what was said is not made again', () => {
    const notes = begun()
    notes.attempts.started(false)
    notes.attempts.failed(notHttp)
    expect(notes.news).toEqual(['gave up: 502 protocol'])
  })

  it('after the head of the answer is not made again, and is the backend’s failure', () => {
    const notes = begun()
    notes.attempts.started(false)
    notes.attempts.responded(200)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['gave up: 502 truncated'])
    expect(notes.failures).toEqual([1, 0, 0])
  })

  it('for a response of our own is reported as such, and is no backend’s failure', () => {
    const notes = begun(BODY)
    notes.attempts.started(false)
    notes.attempts.failed(Object.assign(new Error('slow'), { code: 'ERR_REFUSED_REQUEST', statusCode: 408 }))
    expect(notes.news).toEqual(['gave up: 408 ERR_REFUSED_REQUEST'])
    expect(notes.failures).toEqual([0, 0, 0])
  })

  it('leaves no request in flight but at the backend that has it', () => {
    const notes = begun()
    notes.attempts.failed(refused)
    expect(notes.inFlight).toEqual([0, 1, 0])
    notes.lease.release()
    expect(notes.inFlight).toEqual([0, 0, 0])
  })
})

describe('a used connection that breaks', () => {
  it('says nothing of its backend, which gets a repeatable request once more, by a fresh one', () => {
    const notes = begun()
    notes.attempts.started(true)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w1, fresh'])
    expect(notes.failures).toEqual([0, 0, 0])
    notes.attempts.started(false)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w2, fresh'])
    expect(notes.failures).toEqual([1, 0, 0])
  })

  it.each([BODY, POST])('is the end of a request that cannot be repeated: %o', request => {
    const notes = begun(request)
    notes.attempts.started(true)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['gave up: 502 broken'])
  })

  it('is none when the backend was merely slow on it', () => {
    const notes = begun()
    notes.attempts.started(true)
    notes.attempts.failed(responseTimeout(TIMEOUT_MS))
    expect(notes.news).toEqual(['attempt at w2'])
  })

  it('is believed once', () => {
    const notes = begun()
    notes.attempts.started(true)
    notes.attempts.failed(reset)
    notes.attempts.started(true)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w1, fresh', 'attempt at w2, fresh'])
  })

  it('does not stand for the next attempt, which had no connection yet', () => {
    const notes = begun({}, { maxAttempts: 2 })
    notes.attempts.started(true)
    notes.attempts.failed(responseTimeout(TIMEOUT_MS))
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w2', 'gave up: 502 unreached'])
  })
})

describe('the time for all attempts', () => {
  const times = { responseTimeoutMs: 0, totalTimeoutMs: 3_000 }

  it('ends the request with 504, whatever is under way', () => {
    const notes = begun({}, {}, times)
    vi.advanceTimersByTime(2_000)
    notes.attempts.failed(refused)
    notes.attempts.started(false)
    expect(notes.news).toEqual(['attempt at w2'])
    vi.advanceTimersByTime(1_000)
    expect(notes.news).toEqual(['gave up: 504 timeout', `abort: ${RESPONSE_TIMEOUT}`])
    notes.attempts.failed(reset)
    expect([notes.news, notes.failures]).toEqual([[], [1, 1, 0]])
  })

  it.each<readonly [string, number, (notes: Notes) => void]>([
    ['was found down', 0, notes => notes.affinity.pool.setHealthy('w1', false)],
    ['sent a status of retryOn', 1, notes => void notes.attempts.responded(503)],
  ])(
    'is no failure of the next backend while the attempt at one that %s is being ended',
    (_, count, leave) => {
      const notes = begun({}, { retryOn: ['connect', 'reset', 'timeout', 503] }, times)
      notes.attempts.started(false)
      leave(notes)
      expect(notes.lease.backend.id).toBe('w2')
      notes.told.length = 0
      vi.advanceTimersByTime(3_000)
      expect(notes.news).toEqual(['gave up: 504 timeout', `abort: ${RESPONSE_TIMEOUT}`])
      expect([notes.errors.at(-1)?.backend, notes.failures]).toEqual(['w1', [count, 0, 0]])
    },
  )

  it('ends with the head of the response', () => {
    const notes = begun({}, {}, times)
    notes.attempts.started(false)
    notes.attempts.responded(200)
    vi.advanceTimersByTime(10_000)
    expect(notes.news).toEqual([])
  })
})

describe('a backend that is found down', () => {
  it('loses the requests that wait for its response, without a failure of theirs', () => {
    const notes = begun()
    notes.attempts.started(false)
    notes.affinity.pool.setHealthy('w1', false)
    expect(notes.news).toEqual([expect.stringMatching(/^abort: .* found down/)])
    // A response that crosses it is dropped.
    expect(notes.attempts.responded(200)).toBe(false)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w2'])
    expect(notes.failures).toEqual([0, 0, 0])
    notes.attempts.started(false)
    notes.attempts.failed(reset)
    expect(notes.news).toEqual(['attempt at w3'])
    notes.attempts.close()
    notes.lease.release()
  })

  it('keeps those that may not be sent twice', () => {
    const notes = begun(POST)
    notes.attempts.started(false)
    notes.affinity.pool.setHealthy('w1', false)
    expect(notes.news).toEqual([])
    notes.attempts.close()
  })
})

describe('a status of retryOn', () => {
  it('leads to another backend, and the last response is for the client', () => {
    const notes = begun({}, { retryOn: [503] })
    for (const next of ['w2', 'w3']) {
      notes.attempts.started(false)
      expect(notes.attempts.responded(503)).toBe(false)
      notes.attempts.failed(new Error('ended by the attempter'))
      expect(notes.news).toEqual([`attempt at ${next}`])
    }
    notes.attempts.started(false)
    expect(notes.attempts.responded(503)).toBe(true)
    expect(notes.failures).toEqual([1, 1, 1])
  })

  it.each([BODY, POST])('is a response as any other to what cannot be repeated: %o', request => {
    const notes = begun(request, { retryOn: [503] })
    notes.attempts.started(false)
    expect(notes.attempts.responded(503)).toBe(true)
  })
})

describe('an attempt that cannot be made', () => {
  it('is the end, because the request is at fault', () => {
    const notes = begun()
    notes.attempts.failed(Object.assign(new TypeError('Invalid character'), { code: 'ERR_INVALID_CHAR' }))
    expect(notes.news).toEqual(['gave up: undefined ERR_INVALID_CHAR'])
    expect(notes.failures).toEqual([0, 0, 0])
  })

  it.each([REPEATABLE, POST])('for a policy that throws is the end: %o', request => {
    const notes = new Notes(request)
    notes.attempt = () => {
      throw new Error('no such tenant')
    }
    notes.attempts.begin()
    vi.advanceTimersByTime(0)
    expect(notes.news).toEqual(['gave up: undefined undefined'])
  })

  it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])(
    'for lack of resources (%s) is 503, and no backend’s failure',
    code => {
      const notes = begun()
      notes.attempts.failed(Object.assign(new Error(`connect ${code}`), { code }))
      expect(notes.news).toEqual(['gave up: 503 ERR_LOCAL_RESOURCE'])
      expect(notes.failures).toEqual([0, 0, 0])
    },
  )
})

describe('after the end', () => {
  it.each([
    ['the client has left', (notes: Notes) => notes.attempts.close()],
    ['it was given up', (notes: Notes) => notes.attempts.failed(notHttp)],
  ])('(%s) nothing more is done, and no backend is to blame', (_, end) => {
    const notes = begun()
    notes.attempts.started(true)
    end(notes)
    expect(notes.attempts.isOver).toBe(true)
    const { failures } = notes
    expect(notes.news.length).toBeLessThan(2)
    notes.attempts.failed(reset)
    expect(notes.attempts.responded(200)).toBe(false)
    vi.advanceTimersByTime(2 * TIMEOUT_MS)
    expect(notes.news).toEqual([])
    expect([notes.failures, notes.lease.backend.id]).toEqual([failures, 'w1'])
  })

  it('a connection that comes late is let go', () => {
    const notes = begun()
    notes.attempts.close()
    notes.attempts.started(false)
    expect(notes.news).toEqual(['abort: the client left'])
  })

  it('may be said more than once', () => {
    const notes = begun()
    expect(notes.attempts.isOver).toBe(false)
    notes.attempts.close()
    notes.attempts.close()
    expect(notes.attempts.isOver).toBe(true)
  })
})
