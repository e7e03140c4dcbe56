import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

it('doubles with each failure in a row, up to half a minute', () => {
  const mostMs = [0, 1, 2, 3, 8, 9, 1_000].map(failures => backoffMs(failures, 1))
  expect(mostMs).toEqual([0, 200, 400, 800, 25_600, 30_000, 30_000])
})

it('takes off half of it at the most, by chance', () => {
  expect([backoffMs(2, 0), backoffMs(2, 0.5)]).toEqual([200, 300])
})
