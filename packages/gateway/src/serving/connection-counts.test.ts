import { expect, it } from 'vitest'
import type { Limits } from '../config/config.ts'
import { ConnectionCounts } from './connection-counts.ts'

function countsOf(connections: number, connectionsPerAddress: number, workers = 1): ConnectionCounts {
  return new ConnectionCounts({ connections, connectionsPerAddress } as Limits, workers)
}

it('permits as many connections as the limits say, in all and of an address', () => {
  const counts = countsOf(3, 2)
  expect(['a', 'a', 'a'].map(address => counts.enter(address))).toEqual([true, true, false])
  counts.leave('a')
  expect([counts.enter('b'), counts.enter('c'), counts.enter(undefined)]).toEqual([true, false, false])
})

it('permits any number without limits', () => {
  const counts = countsOf(0, 0)
  expect(Array.from({ length: 100 }, () => counts.enter('a'))).not.toContain(false)
  expect([...counts.shared]).toEqual([])
})

it('counts those of the other workers, too', () => {
  const counts = countsOf(10, 3)
  counts.elsewhere = new Map([
    ['', 8],
    ['a', 2],
  ])
  expect([counts.enter('a'), counts.enter('a'), counts.enter('b')]).toEqual([true, false, false])
})

it('shares the counts of addresses that hold more than their share here', () => {
  const counts = countsOf(100, 8, 2)
  counts.enter('a')
  counts.enter('b')
  counts.enter('b')
  expect([...counts.shared]).toEqual([['', 3]])
  counts.enter('b')
  expect([...counts.shared]).toEqual([
    ['', 4],
    ['b', 3],
  ])
  counts.limits = { connections: 0, connectionsPerAddress: 2 } as Limits
  expect([...counts.shared]).toEqual([
    ['a', 1],
    ['b', 3],
  ])
  for (const address of ['a', 'b', 'b', 'b']) counts.leave(address)
  expect([...counts.shared]).toEqual([])
})
