import { createAffinity } from '@limpet/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Loads } from './load-messages.ts'
import { type LoadPeer, ParentLoads } from './parent-loads.ts'
import { WorkerLoads } from './worker-loads.ts'

/** A worker whose channel takes messages, unless it is stuck. */
class TestPeer implements LoadPeer {
  readonly messages: Loads[] = []
  isStuck = false

  sendLoads(loads: Loads, written: () => void): void {
    this.messages.push(loads)
    if (!this.isStuck) written()
  }

  /** The counts of the other workers, as this one knows them. */
  get known(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.messages.flat().map(({ pool, id, inFlight }) => [`${pool}/${id}`, inFlight]),
    )
  }
}

const load = (id: string, inFlight: number): Loads[number] => ({ pool: 'web', id, inFlight })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function peersOf(parent: ParentLoads, count: number): readonly TestPeer[] {
  const peers = Array.from({ length: count }, () => new TestPeer())
  for (const peer of peers) parent.receive(peer, [])
  return peers
}

it('tells each worker the sum of the others', () => {
  const parent = new ParentLoads()
  const peers = peersOf(parent, 3)
  for (const [index, peer] of peers.entries()) parent.receive(peer, [load('a', index + 1)])
  vi.advanceTimersByTime(10)
  expect(peers.map(({ known }) => known)).toEqual([{ 'web/a': 5 }, { 'web/a': 4 }, { 'web/a': 3 }])
})

it('forgets the requests of a worker that has ended, and tells a later one those of the others', () => {
  const parent = new ParentLoads()
  const [first, second] = peersOf(parent, 2) as [TestPeer, TestPeer]
  parent.receive(first, [load('a', 3)])
  parent.receive(second, [load('b', 2)])
  vi.advanceTimersByTime(10)
  parent.left(first)
  const [late] = peersOf(parent, 1) as [TestPeer]
  vi.advanceTimersByTime(10)
  expect(second.known).toEqual({ 'web/a': 0 })
  expect(late.known).toEqual({ 'web/b': 2 })
})

it('costs a bounded amount of memory for a worker that does not read', () => {
  const parent = new ParentLoads()
  const [first, stuck] = peersOf(parent, 2) as [TestPeer, TestPeer]
  stuck.isStuck = true
  for (let round = 1; round < 1_000; round += 1) {
    parent.receive(first, [load('a', round)])
    vi.advanceTimersByTime(10)
  }
  expect(stuck.messages.length).toBe(1)
})

it('sends changes alone, and gives the sums of the others to a backend that joins later', () => {
  const sent: Loads[] = []
  const loads = new WorkerLoads((changed, written) => {
    sent.push(changed)
    written()
  })
  const { pool } = createAffinity({ backends: [{ id: 'a', url: 'http://a.test' }], affinity: [] })
  loads.serve(new Map([['web', { pool, comparesLoads: true }]]))
  loads.receive([load('a', 1), load('b', 2)])
  pool.add({ id: 'b', url: 'http://b.test' })
  vi.advanceTimersByTime(100)
  expect(pool.backends.map(({ elsewhere }) => elsewhere)).toEqual([1, 2])
  expect(sent).toEqual([[]])
})
