import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Breaker } from './breaker.ts'

interface Facts {
  readonly breaker: Breaker
  readonly probe: ReturnType<typeof vi.fn<() => Promise<unknown>>>
  readonly told: string[]
}

function setUp(): Facts {
  const told: string[] = []
  const probe = vi.fn<() => Promise<unknown>>(async () => Promise.reject(new Error('still down')))
  const breaker = new Breaker({
    probe,
    opened: error => told.push(`opened: ${(error as Error).message}`),
    closed: () => told.push('closed'),
  })
  return { breaker, probe, told }
}

function fail(breaker: Breaker, times: number): void {
  for (let count = 0; count < times; count += 1) breaker.failed(new Error('down'))
}

describe('the circuit breaker', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
  })

  it('opens after five failures in a row, once', () => {
    const { breaker, told } = setUp()
    fail(breaker, 4)
    breaker.succeeded()
    fail(breaker, 4)
    expect([breaker.isOpen, told]).toEqual([false, []])
    fail(breaker, 3)
    expect([breaker.isOpen, told]).toEqual([true, ['opened: down']])
  })

  it('asks once after 1 s, 2 s, 4 s … 30 s, and closes when that is answered', async () => {
    const { breaker, probe, told } = setUp()
    fail(breaker, 5)
    const pausesMs: number[] = []
    for (let last = Date.now(); pausesMs.length < 7; last = Date.now()) {
      await vi.advanceTimersToNextTimerAsync()
      pausesMs.push(Date.now() - last)
    }
    expect(pausesMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect([probe.mock.calls.length, breaker.failedProbes]).toEqual([7, 7])
    probe.mockResolvedValueOnce('PONG')
    await vi.advanceTimersToNextTimerAsync()
    expect([breaker.isOpen, vi.getTimerCount(), told]).toEqual([false, 0, ['opened: down', 'closed']])
  })

  it('pauses for longer when it opens again soon, and not when it opens later', async () => {
    const { breaker, probe } = setUp()
    async function pauseMs(): Promise<number> {
      const before = Date.now()
      probe.mockResolvedValueOnce('PONG')
      fail(breaker, 5)
      await vi.advanceTimersToNextTimerAsync()
      return Date.now() - before
    }
    expect([await pauseMs(), await pauseMs(), await pauseMs()]).toEqual([1_000, 2_000, 4_000])
    vi.advanceTimersByTime(10_000)
    expect(await pauseMs()).toBe(1_000)
  })

  it('is not closed by a probe from before a reset', async () => {
    const { breaker, probe, told } = setUp()
    const { promise, resolve } = Promise.withResolvers<unknown>()
    probe.mockReturnValueOnce(promise)
    fail(breaker, 5)
    await vi.advanceTimersToNextTimerAsync()
    breaker.reset()
    fail(breaker, 5)
    resolve('PONG')
    await promise
    await Promise.resolve()
    expect([breaker.isOpen, told]).toEqual([true, ['opened: down', 'opened: down']])
  })
})
