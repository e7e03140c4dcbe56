import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { BackendCounts } from './backend-counts.ts'

it('counts responses by their class', () => {
  const counts = new BackendCounts(0)
  for (const status of [101, 200, 299, 302, 404, 499, 500, 599]) counts.responded(status, 1)
  expect([
    counts.informational,
    counts.successful,
    counts.redirections,
    counts.clientErrors,
    counts.serverErrors,
    counts.responseTimes.figures.count,
  ]).toEqual([1, 2, 1, 2, 2, 8])
})

it('counts the failures that say something about the backend', () => {
  const counts = new BackendCounts(0)
  for (const kind of ['unreached', 'broken', 'broken', 'local'] as const) counts.failed(kind)
  expect([counts.allFailures, counts.failures.broken]).toEqual([3, 2])
})

it('adds up the times for which it was down, the one that goes on among them', () => {
  const counts = new BackendCounts(0)
  counts.turned(false, 100)
  counts.turned(false, 150)
  expect(counts.downMs(200)).toBe(100)
  counts.turned(true, 300)
  expect([counts.downMs(900), counts.changedAtMs]).toEqual([200, 300])
  counts.turned(false, 1_000)
  expect([counts.downMs(1_001), counts.turnedDown, counts.turnedUp]).toEqual([201, 3, 1])
  // A clock that was set back.
  expect(counts.downMs(500)).toBe(200)
})

it('has the bytes of connections while they are open, and when they have closed', () => {
  const connection = (): EventEmitter & { bytesRead: number; bytesWritten: number } =>
    Object.assign(new EventEmitter(), { bytesRead: 0, bytesWritten: 0 })
  const counts = new BackendCounts(0)
  const [one, other] = [connection(), connection()]
  counts.connected(one)
  counts.connected(other)
  Object.assign(one, { bytesRead: 10, bytesWritten: 3 })
  other.bytesRead = 5
  expect([counts.connections, counts.bytesRead, counts.bytesWritten]).toEqual([2, 15, 3])
  one.emit('close')
  one.emit('close')
  other.bytesRead = 6
  expect([counts.connections, counts.bytesRead, counts.bytesWritten]).toEqual([1, 16, 3])
})

it('keeps the last check', () => {
  const counts = new BackendCounts(0)
  const passed = { healthy: true, problem: undefined, durationMs: 1, atMs: 1 }
  const failed = { healthy: false, problem: 'status 500', durationMs: 1, atMs: 2 }
  for (const result of [passed, passed, failed]) counts.checked(result)
  expect([counts.checksPassed, counts.checksFailed, counts.lastCheck]).toEqual([2, 1, failed])
})
