import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drainForecast } from './drain-forecast.ts'
import type { DrainFigures } from './figures.ts'

const DRAIN: DrainFigures = {
  startedAtMs: 1_000,
  deadlineAtMs: 601_000,
  spreadMs: 60_000,
  startedSessions: 40,
}

describe('the forecast of a drain', () => {
  it('is there for drains with a deadline alone', () => {
    expect(drainForecast({ drain: undefined, sessions: 3 }, 0)).toBeUndefined()
  })

  it('follows the pace of its sessions', () => {
    expect(drainForecast({ drain: DRAIN, sessions: 30 }, 11_000)).toEqual({
      done: 0.25,
      endAtMs: 41_000,
      isByPace: true,
    })
  })

  it.each([
    ['in the first seconds', 30, 3_000, 0.25],
    ['while no session has ended', 40, 300_000, 0],
    ['when there are more sessions than at first', 50, 300_000, 0],
    ['when its pace is too slow', 39, 300_000, 0.025],
    ['when it waits for requests alone', 0, 300_000, 1],
  ])('is the deadline with the spread %s', (_name, sessions, nowMs, done) => {
    const forecast = drainForecast({ drain: DRAIN, sessions }, nowMs)
    expect(forecast).toMatchObject({ endAtMs: 661_000, isByPace: false })
    expect(forecast?.done).toBeCloseTo(done, 6)
  })

  it.each([
    ['sessions are not counted', undefined, 40],
    ['there was none at first', 0, 0],
    ['their number was unknown at first', 3, undefined],
  ])('counts time where %s', (_name, sessions, startedSessions) => {
    expect(drainForecast({ drain: { ...DRAIN, startedSessions }, sessions }, 331_000)).toEqual({
      done: 0.5,
      endAtMs: 661_000,
      isByPace: false,
    })
  })

  it('never ends after the latest end, and is never more than done', () => {
    const count = fc.option(fc.nat(50), { nil: undefined })
    fc.assert(
      fc.property(
        fc.nat(9_000),
        fc.nat(9_000),
        fc.nat(20_000),
        count,
        count,
        (afterMs, spreadMs, nowMs, sessions, startedSessions) => {
          const drain = { startedAtMs: 1_000, deadlineAtMs: 1_000 + afterMs, spreadMs, startedSessions }
          const { done, endAtMs } = drainForecast({ drain, sessions }, nowMs) ?? {
            done: -1,
            endAtMs: Infinity,
          }
          expect(endAtMs).toBeLessThanOrEqual(1_000 + afterMs + spreadMs)
          expect(done).toBeGreaterThanOrEqual(0)
          expect(done).toBeLessThanOrEqual(1)
        },
      ),
    )
  })
})
