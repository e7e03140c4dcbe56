import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ParentSessions } from './parent-sessions.ts'
import { settle, TestWorker } from './workers.fixture.ts'

const TTL_MS = 3_600_000

function workersOf(parent: ParentSessions, count: number): readonly TestWorker[] {
  return Array.from({ length: count }, () => new TestWorker(parent, 100))
}

/** Looks a session up at each of them, while all messages are delivered. */
async function known(workers: readonly TestWorker[], session: string): Promise<readonly unknown[]> {
  const found = Promise.all(workers.map(async ({ store }) => store.get(session)))
  await settle(workers)
  return found
}

const WORKER = fc.nat(2)
const SESSION = fc.constantFrom('s1', 's2', 's3')
const STEP = fc.oneof(
  fc.record({
    what: fc.constantFrom('set', 'renew'),
    worker: WORKER,
    session: SESSION,
    backend: fc.constantFrom('a', 'b'),
    // A longer life is a renewal.
    ttlMs: fc.constantFrom(TTL_MS, 2 * TTL_MS),
  }),
  fc.record({ what: fc.constant('delete'), worker: WORKER, session: SESSION }),
  fc.record({ what: fc.constantFrom('up', 'down'), worker: WORKER }),
  fc.record({ what: fc.constantFrom('turn', 'start') }),
)

describe('the learned sessions of several workers', () => {
  it('agree in the end, whatever the sequence of changes, messages and starting workers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 40, size: 'max' }), async steps => {
        const parent = new ParentSessions()
        const workers = [...workersOf(parent, 3)]
        for (const step of steps) {
          const worker = workers['worker' in step ? step.worker : 0]
          if ('backend' in step) worker?.store[step.what]?.(step.session, step.backend, step.ttlMs)
          else if ('session' in step) worker?.store.delete(step.session)
          else if (step.what === 'turn') await turn()
          else if (step.what === 'start') workers.push(new TestWorker(parent, 100))
          else worker?.deliver(step.what)
        }
        // Renewals wait for others.
        for (const { sessions } of workers) sessions.flush()
        await settle(workers)
        for (const session of ['s1', 's2', 's3']) expect(new Set(await known(workers, session)).size).toBe(1)
      }),
      { numRuns: 500 },
    )
  })

  it('are found by a lookup that is faster than the news of them', async () => {
    const parent = new ParentSessions()
    const [one, other] = workersOf(parent, 2) as [TestWorker, TestWorker]
    await settle([one, other])
    one.store.set('s1', 'a', TTL_MS)
    const found = other.store.get('s1')
    expect(found).toBeInstanceOf(Promise)
    await settle([other, one])
    expect(await found).toBe('a')
  })

  it('stay where they have moved when a response from before the move comes after the news of it', async () => {
    const parent = new ParentSessions()
    const workers = workersOf(parent, 2)
    const [one, other] = workers as [TestWorker, TestWorker]
    one.store.set('s1', 'a', TTL_MS)
    await settle(workers)
    other.store.set('s1', 'b', TTL_MS)
    await settle(workers)
    one.store.renew?.('s1', 'a', TTL_MS)
    await settle(workers)
    expect(await known(workers, 's1')).toEqual(['b', 'b'])
  })

  it('are renewed by a worker that has lost them, unless they have moved', async () => {
    const parent = new ParentSessions()
    const [one, other] = [new TestWorker(parent, 1), new TestWorker(parent, 1)]
    const workers = [one, other]
    one.store.renew?.('s1', 'a', TTL_MS)
    await settle(workers)
    expect(await known(workers, 's1')).toEqual(['a', 'a'])
    other.store.set('s1', 'b', TTL_MS)
    // Before the news arrives.
    one.store.set('s2', 'a', TTL_MS)
    one.store.renew?.('s1', 'a', TTL_MS)
    other.deliver('up')
    await settle(workers)
    expect(await known(workers, 's1')).toEqual(['b', 'b'])
  })

  it('stay where they have moved when a worker that has evicted them gets a response from before the move', async () => {
    const parent = new ParentSessions()
    const [one, other] = [new TestWorker(parent, 2), new TestWorker(parent, 2)]
    const workers = [one, other]
    one.store.set('s1', 'a', TTL_MS)
    await settle(workers)
    other.store.set('s1', 'b', TTL_MS)
    one.store.set('s2', 'a', TTL_MS)
    await settle(workers)
    // One worker alone sees this use, so it evicts another session than the parent does.
    expect(one.store.get('s2')).toBe('a')
    one.store.set('s3', 'a', TTL_MS)
    await settle(workers)
    expect(one.store.count?.('b')).toBe(0)
    one.store.renew?.('s1', 'a', TTL_MS)
    one.sessions.flush()
    await settle(workers)
    expect(await known(workers, 's1')).toEqual(['b', 'b'])
  })

  it('stay where they have moved when another worker renews them meanwhile', async () => {
    const parent = new ParentSessions()
    const workers = workersOf(parent, 2)
    const [one, other] = workers as [TestWorker, TestWorker]
    one.store.set('s1', 'a', TTL_MS)
    await settle(workers)
    other.store.set('s1', 'b', TTL_MS)
    // A longer life is a renewal at the same backend.
    one.store.set('s1', 'a', 2 * TTL_MS)
    await settle(workers)
    await expect.poll(async () => known(workers, 's1')).toEqual(['b', 'b'])
  })

  it('are unknown after 50 ms when the parent says nothing', async () => {
    const worker = new TestWorker(new ParentSessions())
    expect(await worker.store.get('s1')).toBeUndefined()
  })

  it('cost a bounded amount of memory for a worker and a parent that do not read', async () => {
    const parent = new ParentSessions()
    const workers = [new TestWorker(parent, 100_000), new TestWorker(parent, 100_000)]
    const [busy, stuck] = workers as [TestWorker, TestWorker]
    await settle(workers)
    for (let round = 0; round < 30; round += 1) {
      for (let number = 0; number < 1_000; number += 1) busy.store.set(`s${round}-${number}`, 'a', TTL_MS)
      await turn()
      while (busy.toParent.length + busy.toWorker.length > 0) {
        busy.deliver('up')
        busy.deliver('down')
        await turn()
      }
    }
    expect(stuck.toWorker.length).toBeLessThanOrEqual(2)
    await settle(workers)
    expect(stuck.store.count?.('a')).toBe(30_000)
    // Nor does a parent that takes nothing.
    for (let round = 0; round < 40; round += 1) {
      for (let number = 0; number < 1_000; number += 1) busy.store.set(`t${round}-${number}`, 'b', TTL_MS)
      await turn()
    }
    expect(busy.toParent.length).toBeLessThanOrEqual(16)
  })

  it('end with their tables, and begin anew when a pool comes back', async () => {
    const parent = new ParentSessions()
    const workers = workersOf(parent, 2)
    const [one] = workers as [TestWorker, TestWorker]
    one.store.set('s1', 'a', TTL_MS)
    await settle(workers)
    parent.retain(new Set())
    const late = new TestWorker(parent, 100)
    await settle([...workers, late])
    expect(await known([late], 's1')).toEqual([undefined])
  })
})
