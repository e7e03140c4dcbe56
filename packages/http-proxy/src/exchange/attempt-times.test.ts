import type { RequestHead } from '@limpet/core'
import { describe, expect, it, vi } from 'vitest'
import {
  begun,
  BODY,
  Notes,
  NO_TIMES,
  POST,
  refused,
  reset,
  TIMEOUT_MS,
  useClock,
} from './attempts.fixture.ts'
import { Attempts } from './attempts.ts'
import { RESPONSE_TIMEOUT } from '../failure.ts'

useClock()

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

describe('the time for all attempts', () => {
  const times = { ...NO_TIMES, totalTimeoutMs: 3_000 }

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
