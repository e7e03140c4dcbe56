import { describe, expect, it, vi } from 'vitest'
import {
  begun,
  BODY,
  notHttp,
  Notes,
  POST,
  REPEATABLE,
  reset,
  TIMEOUT_MS,
  useClock,
} from './attempts.fixture.ts'

useClock()

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
