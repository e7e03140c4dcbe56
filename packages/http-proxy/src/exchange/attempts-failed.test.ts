import { describe, expect, it } from 'vitest'
import {
  begun,
  BODY,
  notHttp,
  POST,
  refused,
  REPEATABLE,
  reset,
  TIMEOUT_MS,
  useClock,
} from './attempts.fixture.ts'
import { responseTimeout } from '../failure.ts'

useClock()

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

  it.each([BODY, POST])('is a response as any other where the request cannot be repeated: %o', request => {
    const notes = begun(request, { retryOn: [503] })
    notes.attempts.started(false)
    expect(notes.attempts.responded(503)).toBe(true)
  })
})
