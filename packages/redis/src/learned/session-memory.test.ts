import { expect, it } from 'vitest'
import { SessionMemory } from './session-memory.ts'

const HOUR_MS = 3_600_000

function memoryAt(nowMs = 0) {
  const clock = { nowMs }
  return { clock, memory: new SessionMemory({ maxEntries: 100, now: () => clock.nowMs }) }
}

it('has to tell the shared store of a session once in a tenth of its life', () => {
  const { clock, memory } = memoryAt()
  expect(memory.update('s', 'a', HOUR_MS)).toBe('news')
  clock.nowMs = HOUR_MS / 20
  expect(memory.update('s', 'a', HOUR_MS)).toBe('kept')
  clock.nowMs = HOUR_MS / 5
  expect(memory.update('s', 'a', HOUR_MS)).toBe('renewed')
  expect(memory.update('s', 'b', HOUR_MS)).toBe('news')
  memory.forget('s')
  expect([memory.get('s'), memory.update('s', 'b', HOUR_MS)]).toEqual([undefined, 'news'])
})

it('keeps what it knew before messages were missed apart, until it is verified', () => {
  const { memory } = memoryAt()
  for (const id of ['s', 't', 'u']) memory.update(id, 'a', HOUR_MS)
  memory.doubt()
  expect([memory.get('s'), memory.unverified('s'), memory.count('a')]).toEqual([undefined, 'a', 3])
  memory.verify('s', 'b', HOUR_MS)
  memory.update('t', 'c', HOUR_MS)
  memory.delete('u')
  expect(['s', 't', 'u'].map(id => [memory.get(id), memory.unverified(id)])).toEqual([
    ['b', undefined],
    ['c', undefined],
    [undefined, undefined],
  ])
  expect(['a', 'b', 'c'].map(id => memory.count(id))).toEqual([0, 1, 1])
})

it('prefers the newer of unverified times, and forgets the oldest of more than four', () => {
  const { memory } = memoryAt()
  memory.update('old', 'a', HOUR_MS)
  for (const backend of ['a', 'b', 'c', 'd']) {
    memory.doubt()
    // A time without sessions is none.
    memory.doubt()
    memory.update('s', backend, HOUR_MS)
  }
  expect([memory.unverified('old'), memory.unverified('s')]).toEqual(['a', undefined])
  memory.doubt()
  expect([memory.unverified('old'), memory.unverified('s')]).toEqual([undefined, 'd'])
})
