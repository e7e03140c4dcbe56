import { afterEach, beforeEach, expect, vi } from 'vitest'

/** Fake timers for each test of a file. After it no timer is left. @param now the time at which each test begins */
export function useFakeTimers(now?: number): void {
  beforeEach(() => {
    vi.useFakeTimers(now === undefined ? {} : { now })
    return () => void vi.useRealTimers()
  })

  afterEach(() => expect(vi.getTimerCount()).toBe(0))
}
