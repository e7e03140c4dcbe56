import { expect, it, onTestFinished, vi } from 'vitest'
import { Pace } from './pace.ts'

/** A pace whose report takes `ms` of a clock that the test moves, and the times of the reports. */
function paceOf(ms: number) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const startMs = performance.now()
  const reports: number[] = []
  const pace = new Pace(() => {
    reports.push(performance.now() - startMs)
    vi.advanceTimersByTime(ms)
  })
  return { pace, reports }
}

it('makes one report of the events that are here', () => {
  const { pace, reports } = paceOf(0)
  pace.soon()
  pace.soon()
  expect(reports).toEqual([])
  vi.advanceTimersByTime(0)
  expect(reports).toEqual([0])
})

it('rests four times as long as a report took', () => {
  const { pace, reports } = paceOf(10)
  pace.now()
  pace.soon()
  vi.advanceTimersByTime(39)
  expect(reports).toEqual([0])
  vi.advanceTimersByTime(1)
  expect(reports).toEqual([0, 50])
})

it('makes a report at once where it has to, in place of the one that was due', () => {
  const { pace, reports } = paceOf(0)
  pace.soon()
  pace.now()
  vi.advanceTimersByTime(1_000)
  expect(reports).toEqual([0])
})

it('makes none when it is closed', () => {
  const { pace, reports } = paceOf(0)
  pace.soon()
  pace.close()
  pace.soon()
  vi.advanceTimersByTime(1_000)
  expect(reports).toEqual([])
})
