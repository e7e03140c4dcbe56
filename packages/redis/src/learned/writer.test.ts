import { expect, it, onTestFinished, vi } from 'vitest'
import type { Client, Connection } from '../connection/connection.ts'
import { StateEvents } from '../state-events.ts'
import { Writer } from './writer.ts'

/** A connection whose server neither takes nor refuses a write. */
function silentConnection(): Connection {
  const silence = Promise.withResolvers<never>().promise
  const client = { set: async () => silence, pTTL: async () => silence }
  return {
    client: client as unknown as Client,
    failed: () => undefined,
    leave: () => undefined,
  } as unknown as Connection
}

it('a writer keeps no more writes than it may, those that were never confirmed among them', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const settings = { maxPending: 2, now: () => Date.now(), dropped: () => undefined }
  const writer = new Writer(silentConnection(), new StateEvents('shop', 'learned'), settings)
  onTestFinished(() => writer.close())
  for (let outage = 0; outage < 5; outage += 1) {
    for (const id of ['s', 't'])
      writer.put(`${id}${outage}`, { tag: 'x', backendId: 'a', untilMs: 1e15 }, true)
    // Longer than any pause before the next attempt.
    await vi.advanceTimersByTimeAsync(40_000)
  }
  expect(writer.size).toBeLessThanOrEqual(2 * 2)
})
