import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionTally } from './session-tally.ts'

const LIFE_MS = 3_200

describe('a tally of sessions', () => {
  it('counts them to their end, each backend for itself', () => {
    let now = 1_000_000
    const tally = new SessionTally(LIFE_MS, () => now)
    expect(tally.count('a')).toBeUndefined()
    now += LIFE_MS
    tally.began('a', now + LIFE_MS)
    tally.began('a', now + LIFE_MS)
    tally.began('b', now + LIFE_MS / 2)
    expect([tally.count('a'), tally.count('b'), tally.count('c')]).toEqual([2, 1, 0])
    now += LIFE_MS / 2 + 100
    expect([tally.count('a'), tally.count('b')]).toEqual([2, 0])
    now += LIFE_MS
    expect(tally.count('a')).toBe(0)
  })

  it('forgets backends that have no session left', () => {
    let now = 0
    const tally = new SessionTally(LIFE_MS, () => now)
    for (let id = 0; id < 1_000; id += 1) {
      tally.began(`pod-${id}`, now + LIFE_MS)
      now += LIFE_MS / 4
    }
    expect(tally.size).toBeLessThan(20)
    expect(tally.count('pod-999')).toBe(1)
  })

  it('looks at each backend a few times at most while a large pool gets its first sessions', () => {
    const BACKENDS = 2_000
    let looks = 0
    const tally = new SessionTally(LIFE_MS, () => {
      looks += 1
      return 0
    })
    for (let id = 0; id < BACKENDS; id += 1) tally.began(`pod-${id}`, LIFE_MS)
    expect(tally.size).toBe(BACKENDS)
    expect(looks).toBeLessThan(3 * BACKENDS)
  })

  it('never counts sessions of other processes below zero', () => {
    let now = -LIFE_MS
    const tally = new SessionTally(LIFE_MS, () => now)
    now = 0
    tally.ended('a', 100)
    tally.began('a', 100)
    tally.ended('a', 200)
    expect(tally.count('a')).toBe(1)
  })

  it('is right whatever sessions do, to within a piece of their life', () => {
    const event = fc.record({ session: fc.nat(9), backend: fc.constantFrom('a', 'b'), ms: fc.nat(900) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), happenings => {
        let now = 5_000
        const tally = new SessionTally(LIFE_MS, () => now)
        now += LIFE_MS
        // The keys that were given out and not renewed: one that has ended is begun anew, not renewed.
        const keys = new Set<{ session: number; backend: string; endMs: number }>()
        for (const { session, backend, ms } of happenings) {
          now += ms
          for (const key of keys) {
            if (key.session !== session || key.endMs <= now) continue
            tally.ended(key.backend, key.endMs)
            keys.delete(key)
          }
          tally.began(backend, now + LIFE_MS)
          keys.add({ session, backend, endMs: now + LIFE_MS })
          for (const id of ['a', 'b']) {
            const ours = [...keys].filter(key => key.backend === id)
            const least = ours.filter(({ endMs }) => endMs > now).length
            const most = ours.filter(({ endMs }) => endMs > now - LIFE_MS / 32).length
            expect(tally.count(id)).toBeGreaterThanOrEqual(least)
            expect(tally.count(id)).toBeLessThanOrEqual(most)
          }
        }
      }),
    )
  })
})
