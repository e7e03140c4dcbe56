import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { BEAT_MS, type BackendCheck, type ChecksFromParent } from './check-messages.ts'
import type { CheckPeer } from './check-outbox.ts'
import { ParentChecks } from './parent-checks.ts'

/** A worker whose channel takes messages, unless it is stuck. */
class TestPeer implements CheckPeer {
  readonly messages: ChecksFromParent[] = []
  isStuck = false

  sendChecks(message: ChecksFromParent, written?: () => void): void {
    this.messages.push(message)
    if (!this.isStuck && written !== undefined) setImmediate(written)
  }

  /** The pools that it has to check. */
  get duties(): readonly string[] {
    const last = new Map(
      this.messages.flatMap(one => (one.what === 'duty' ? [[one.pool, one.isOn] as const] : [])),
    )
    return [...last].flatMap(([pool, isOn]) => (isOn ? [pool] : [])).toSorted()
  }

  get results(): readonly BackendCheck[] {
    return this.messages.flatMap(one => (one.what === 'results' ? one.results : []))
  }
}

function result(id: string, healthy = true): BackendCheck {
  return {
    id,
    url: `http://${id}.test`,
    healthy,
    selfDraining: false,
    reason: '',
    against: 0,
    atMs: 1,
    isGone: false,
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await turn()
}

async function joined(parent: ParentChecks, pools: readonly string[] = ['web']): Promise<TestPeer> {
  const peer = new TestPeer()
  for (const pool of pools) parent.receive(peer, { what: 'open', pool })
  await settle()
  return peer
}

afterEach(() => void vi.useRealTimers())

it('spreads the pools over the workers, and gives those of one that has ended to the one with the fewest', async () => {
  const parent = new ParentChecks()
  const first = await joined(parent, ['web', 'api'])
  const [second, third] = [
    await joined(parent, ['web', 'api', 'images']),
    await joined(parent, ['web', 'api']),
  ]
  expect([first, second, third].map(({ duties }) => duties)).toEqual([['api'], ['images'], ['web']])
  parent.left(first)
  await settle()
  expect([second, third].map(({ duties }) => duties)).toEqual([['api', 'images'], ['web']])
})

it('tells a worker that starts all results, and gives it the duty of one that has ended', async () => {
  const parent = new ParentChecks()
  const first = await joined(parent)
  parent.receive(first, { what: 'results', pool: 'web', results: [result('a'), result('b', false)] })
  const second = await joined(parent)
  expect(second.messages.map(({ what }) => what)).toEqual(['results', 'duty'])
  expect(second.results.map(({ id, healthy }) => [id, healthy])).toEqual([
    ['a', true],
    ['b', false],
  ])
  parent.left(first)
  await settle()
  expect(second.duties).toEqual(['web'])
})

it('takes no results of a worker whose duty another has', async () => {
  const parent = new ParentChecks()
  const [first, second] = [await joined(parent), await joined(parent)]
  parent.receive(second, { what: 'results', pool: 'web', results: [result('a')] })
  await settle()
  expect(first.results).toEqual([])
})

it('gives the duty of a stalled worker to another', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const parent = new ParentChecks()
  const [first, second] = [await joined(parent), await joined(parent)]
  for (let look = 0; look < 3; look += 1) {
    vi.advanceTimersByTime(BEAT_MS)
    parent.receive(second, { what: 'beat' })
  }
  await settle()
  expect(first.duties).toEqual(['web'])
  vi.advanceTimersByTime(BEAT_MS)
  await settle()
  expect([first.duties, second.duties]).toEqual([[], ['web']])
})

it('forgets a pool that no worker serves any more, and counts it for none', async () => {
  const parent = new ParentChecks()
  const first = await joined(parent, ['web', 'api'])
  parent.receive(first, { what: 'results', pool: 'web', results: [result('a')] })
  const second = await joined(parent, ['web'])
  for (const peer of [first, second]) parent.receive(peer, { what: 'close', pool: 'web' })
  const [third, fourth] = [await joined(parent, ['web']), await joined(parent, ['images'])]
  expect(third.results).toEqual([])
  expect([third.duties, fourth.duties]).toEqual([['web'], ['images']])
})

it('gives the checks to another worker when one serves the pool no more', async () => {
  const parent = new ParentChecks()
  const [first, second] = [await joined(parent), await joined(parent)]
  parent.receive(first, { what: 'close', pool: 'web' })
  await settle()
  expect(second.duties).toEqual(['web'])
})

it('forgets a backend that has left', async () => {
  const parent = new ParentChecks()
  const first = await joined(parent)
  parent.receive(first, { what: 'results', pool: 'web', results: [result('a'), result('b')] })
  parent.receive(first, { what: 'results', pool: 'web', results: [{ ...result('a'), isGone: true }] })
  const second = await joined(parent)
  expect(second.results.map(({ id }) => id)).toEqual(['b'])
})

it('costs a bounded amount of memory for a worker that does not read', async () => {
  const parent = new ParentChecks()
  const first = await joined(parent)
  const stuck = new TestPeer()
  stuck.isStuck = true
  parent.receive(stuck, { what: 'open', pool: 'web' })
  for (let round = 0; round < 100; round += 1) {
    parent.receive(first, { what: 'results', pool: 'web', results: [result('a', round % 2 === 0)] })
    await turn()
  }
  expect(stuck.messages.length).toBeLessThanOrEqual(2)
})
