import { expect, it } from 'vitest'
import { type Pending, PendingWrites } from './pending-writes.ts'

function write(backendId: string, facts: Partial<Pending> = {}): Pending {
  return { tag: 't', backendId, untilMs: 1, isLate: false, isUnsure: false, ...facts }
}

const namesOf = (taken: ReturnType<PendingWrites['take']>): readonly string[] =>
  taken.map(([key, { backendId }]) => `${key}:${backendId}`)

it('keeps the newest write of each key, and drops the oldest when there are too many', () => {
  const writes = new PendingWrites(2)
  writes.put('x', write('a'))
  writes.put('y', write('a'))
  writes.put('x', write('b'))
  writes.put('z', write('a'))
  expect([writes.size, writes.get('y'), writes.get('x')?.backendId]).toEqual([2, undefined, 'b'])
  expect(namesOf(writes.take(1))).toEqual(['x:b'])
  expect(namesOf(writes.take(9))).toEqual(['z:a'])
  expect(writes.size).toBe(0)
})

it('takes a write back unless there is a newer one, or no room', () => {
  const writes = new PendingWrites(1)
  writes.putBack('x', write('a'))
  writes.putBack('x', write('b'))
  writes.putBack('y', write('a'))
  expect(namesOf(writes.take(9))).toEqual(['x:a'])
})

it('gives up a write that another gateway has overtaken only where the store may have it', () => {
  const writes = new PendingWrites(9)
  writes.put('unsure', write('a', { isUnsure: true, isRenewal: true }))
  writes.put('renewal', write('a', { isRenewal: true }))
  writes.put('move', write('a'))
  for (const key of ['unsure', 'renewal', 'move', 'unknown']) writes.overtaken(key)
  expect(writes.take(9)).toEqual([
    ['renewal', write('a', { isRenewal: true, condition: 'NX' })],
    ['move', write('a')],
  ])
})
