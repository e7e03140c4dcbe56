import { createAffinity } from '@limpet/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Limits } from '../config/config.ts'
import { ConnectionCounts } from '../serving/connection-counts.ts'
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

const LIMITS: Limits = {
  maxHeaderSize: 16_384,
  headersTimeoutMs: 0,
  requestTimeoutMs: 0,
  keepAliveMs: 0,
  sendTimeoutMs: 0,
  connections: 0,
  connectionsPerAddress: 0,
  unanswered: 16,
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

it('shares the counts of client connections, and tells when they have ended', () => {
  const sent: Loads[] = []
  const loads = new WorkerLoads((changed, written) => {
    sent.push(changed)
    written()
  })
  const { pool } = createAffinity({ backends: [{ id: 'a', url: 'http://a.test' }], affinity: [] })
  const counts = new ConnectionCounts({ ...LIMITS, connections: 10, connectionsPerAddress: 4 }, 2)
  loads.serveConnections(counts)
  loads.serve(new Map([['web', { pool, comparesLoads: false }]]))
  for (const address of ['::1', '::2', '::2']) counts.enter(address)
  vi.advanceTimersByTime(100)
  for (const address of ['::1', '::2', '::2']) counts.leave(address)
  vi.advanceTimersByTime(100)
  expect(sent).toEqual([
    [],
    [
      { pool: '', id: '', inFlight: 3 },
      { pool: '', id: '::2', inFlight: 2 },
    ],
    [
      { pool: '', id: '', inFlight: 0 },
      { pool: '', id: '::2', inFlight: 0 },
    ],
  ])
  loads.receive([{ pool: '', id: '::1', inFlight: 4 }])
  expect([counts.enter('::1'), counts.enter('::2')]).toEqual([false, true])
  loads.receive([{ pool: '', id: '::1', inFlight: 0 }])
  expect(counts.enter('::1')).toBe(true)
})

it('tells of an address only when it holds more than a share of its limit, also after a change of the limit', () => {
  const counts = new ConnectionCounts({ ...LIMITS, connectionsPerAddress: 1_000 }, 2)
  for (let count = 0; count < 1_000; count += 1) counts.enter(`::${count}`)
  expect([...counts.shared]).toEqual([])
  counts.limits = { ...LIMITS, connectionsPerAddress: 3 }
  expect([...counts.shared]).toHaveLength(1_000)
  counts.limits = { ...LIMITS, connections: 2 }
  expect([...counts.shared]).toEqual([['', 1_000]])
})
