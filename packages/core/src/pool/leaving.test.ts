import { expect, it } from 'vitest'
import { isDue, turnOf } from './leaving.ts'

it('spreads sessions evenly, each with one turn of its own', () => {
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let session = 0; session < 10_000; session += 1) {
    const turn = turnOf(`session-${session}`)
    expect(turn).toBe(turnOf(`session-${session}`))
    tenths[Math.floor(turn * 10)] = (tenths[Math.floor(turn * 10)] ?? 0) + 1
  }
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})

it('moves a session when its part of the spread is over, and a nameless one at once', () => {
  const leaving = { fromMs: 1_000, spreadMs: 10_000 }
  const dueMs = 1_000 + Math.ceil(turnOf('s') * 10_000)
  expect([dueMs - 1, dueMs, 11_000].map(nowMs => isDue(leaving, 's', nowMs))).toEqual([false, true, true])
  expect([isDue(leaving, undefined, 999), isDue(leaving, undefined, 1_000)]).toEqual([false, true])
  expect(isDue({ fromMs: 1_000, spreadMs: 0 }, 's', 1_000)).toBe(true)
})
