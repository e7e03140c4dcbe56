import { expect, it } from 'vitest'
import { valueMemory } from './value-memory.ts'

const END = 30

/** A signed value whose signature is of this number, with what may follow a signature. */
function valueOf(number: number, rest = ''): string {
  return `text.${String(number).padStart(END - 5, '0')}${rest}`
}

it('remembers a value as it is, and no other with the same signature', () => {
  const memory = valueMemory<string>(10)
  memory.set(valueOf(1, '~own'), END, 'one')
  expect(memory.get(valueOf(1, '~own'), END)).toBe('one')
  for (const other of [
    valueOf(1),
    valueOf(1, '~other'),
    valueOf(1, '~own').replace('text', 'tixt'),
    valueOf(2, '~own'),
  ])
    expect(memory.get(other, END), `the value ${other}`).toBeUndefined()
})

it('remembers at least as many as it is told, and twice as many at most', () => {
  const memory = valueMemory<number>(10)
  for (let number = 0; number < 35; number += 1) memory.set(valueOf(number), END, number)
  const newest = Array.from({ length: 35 }, (_, index) => 34 - index)
  const known = newest.filter(number => memory.get(valueOf(number), END) === number)
  expect(known.slice(0, 10)).toEqual(newest.slice(0, 10))
  expect(known.length).toBeLessThanOrEqual(20)
})

it('remembers the values that are used again', () => {
  const memory = valueMemory<number>(10)
  memory.set(valueOf(0), END, 0)
  for (let number = 1; number < 100; number += 1) {
    memory.set(valueOf(number), END, number)
    expect(memory.get(valueOf(0), END)).toBe(0)
  }
})
