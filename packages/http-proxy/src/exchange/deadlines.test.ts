import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { useClock } from './attempts.fixture.ts'
import { Deadlines } from './deadlines.ts'

const MS = 1_000

useClock()

/** Deadlines, and what has timed out since the last look, by name. */
function begun() {
  const deadlines = new Deadlines(MS)
  const late: string[] = []
  return {
    deadlines,
    start: (name: string, timedOut = () => {}) =>
      deadlines.start({
        timedOut() {
          late.push(name)
          timedOut()
        },
      }),
    after: (ms: number): readonly string[] => {
      vi.advanceTimersByTime(ms)
      return late.splice(0)
    },
  }
}

describe('deadlines', () => {
  it('end to the millisecond, each at its own time', () => {
    const { start, after } = begun()
    start('a')
    expect(after(300)).toEqual([])
    start('b')
    start('c')
    expect([after(699), after(1), after(299), after(1)]).toEqual([[], ['a'], [], ['b', 'c']])
  })

  it('have one timer together, and none when all are over', () => {
    const { deadlines, start, after } = begun()
    const all = ['a', 'b', 'c'].map(name => start(name))
    expect(vi.getTimerCount()).toBe(1)
    for (const deadline of all) deadlines.end(deadline)
    expect(vi.getTimerCount()).toBe(0)
    for (const deadline of all) deadlines.end(deadline)
    expect(after(2 * MS)).toEqual([])
  })

  it('wait for the next when the first is over', () => {
    const { deadlines, start, after } = begun()
    const first = start('a')
    after(400)
    start('b')
    deadlines.end(first)
    expect([after(MS - 1), after(1)]).toEqual([[], ['b']])
  })

  it('begin anew, behind those that have begun meanwhile', () => {
    const { deadlines, start, after } = begun()
    const moved = start('a')
    after(500)
    start('b')
    after(100)
    deadlines.refresh(moved)
    expect([after(900), after(99), after(1)]).toEqual([['b'], [], ['a']])
    deadlines.refresh(moved)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may begin and end others as they end', () => {
    const { deadlines, start, after } = begun()
    start('a', () => {
      deadlines.end(other)
      start('d')
    })
    const other = start('b')
    start('c')
    expect([after(MS), after(MS - 1), after(1)]).toEqual([['a', 'c'], [], ['d']])
  })

  it('end although one before them throws', () => {
    const { start, after } = begun()
    start('a', () => {
      throw new Error('broken')
    })
    start('b')
    expect(() => after(MS)).toThrow('broken')
    expect(after(1)).toEqual(['a', 'b'])
  })

  it('keep no neighbours once they are over', () => {
    const { deadlines, start } = begun()
    const [a, b, c] = [start('a'), start('b'), start('c')]
    deadlines.end(b)
    expect([b?.before, b?.after]).toEqual([b, b])
    expect(a?.after).toBe(c)
    deadlines.end(a)
    deadlines.end(c)
  })

  it('end in the context of none of the requests', async () => {
    vi.useRealTimers()
    const requests = new AsyncLocalStorage<string>()
    const deadlines = new Deadlines(1)
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    requests.run('first', () => deadlines.start({ timedOut: () => resolve(requests.getStore()) }))
    expect(await promise).toBeUndefined()
    vi.useFakeTimers()
  })

  it('are none where any time is allowed', () => {
    const timedOut = vi.fn()
    const deadlines = new Deadlines(0)
    const deadline = deadlines.start({ timedOut })
    deadlines.refresh(deadline)
    deadlines.end(deadline)
    vi.advanceTimersByTime(2 ** 31)
    expect([deadline, timedOut.mock.calls]).toEqual([undefined, []])
  })
})
