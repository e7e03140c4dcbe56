import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONG, storeOf } from './memory-store.fixture.ts'

describe('a count of sessions', () => {
  it('is right whatever was set, moved, deleted or has expired', () => {
    const step = fc.record({
      key: fc.nat(8),
      id: fc.constantFrom('a', 'b', undefined),
      ttlMs: fc.constantFrom(100, 500),
      ms: fc.nat(200),
    })
    fc.assert(
      fc.property(fc.array(step, LONG), steps => {
        const clock = { ms: 0 }
        const store = storeOf(100, clock)
        const sessions = new Map<number, { id: string; untilMs: number }>()
        for (const { key, id, ttlMs, ms } of steps) {
          clock.ms += ms
          if (id === undefined) {
            store.delete(String(key))
            sessions.delete(key)
          } else {
            store.set(String(key), id, ttlMs)
            sessions.set(key, { id, untilMs: Math.ceil((clock.ms + ttlMs) / 100) * 100 })
          }
          for (const one of ['a', 'b', 'c']) {
            const live = [...sessions.values()].filter(
              ({ id: of, untilMs }) => of === one && untilMs > clock.ms,
            )
            expect(store.count(one)).toBe(live.length)
          }
        }
      }),
    )
  })

  it('of a million is made in parts, none of which takes long', () => {
    const clock = { ms: 0 }
    const store = storeOf(1_000_000, clock)
    for (let session = 0; session < 1_000_000; session += 1)
      store.set(`session-${session}`, session % 4 === 0 ? 'a' : 'b', session % 2 === 0 ? 1_000 : 9_000)
    expect([store.count('a'), store.count('b')]).toEqual([250_000, 750_000])
    clock.ms = 1_000
    let longestMs = 0
    for (let call = 0; call < 100; call += 1) {
      const beforeMs = performance.now()
      store.count(call % 2 === 0 ? 'a' : 'b')
      longestMs = Math.max(longestMs, performance.now() - beforeMs)
    }
    expect([store.count('a'), store.count('b')]).toEqual([0, 500_000])
    // All at once were half a second.
    expect(longestMs).toBeLessThan(100)
  })
})
