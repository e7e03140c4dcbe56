import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { startDiscovery } from './discovery.ts'
import {
  type DiscoveredBackend,
  type DiscoveryListener,
  type DiscoverySource,
  isDiscoverySource,
} from './discovery-source.ts'
import { useFakeTimers } from '../fake-timers.fixture.ts'

/** A source that reports only when the test tells it to. */
function discovering(pool = new LivePool('p', [])) {
  let listener: DiscoveryListener | undefined
  const source: DiscoverySource = {
    name: 'registry',
    subscribe(subscriber) {
      listener = subscriber
      return { close: () => undefined }
    },
  }
  const discovery = startDiscovery(pool, source)
  const report = (...all: readonly DiscoveredBackend[]): void => listener?.backends(all)
  const failed = (error: Error): void => listener?.failed(error)
  return { pool, report, failed, discovery }
}

function pod(id: string, more: Partial<DiscoveredBackend> = {}): DiscoveredBackend {
  return { id, url: `http://${id}.test`, ...more }
}

function heard<T>(channel: string): T[] {
  const events: T[] = []
  const note = (event: unknown): void => void events.push(event as T)
  subscribe(channel, note)
  onTestFinished(() => void unsubscribe(channel, note))
  return events
}

const rows = (pool: LivePool): string[] =>
  pool.backends.map(({ backend: { id }, state, healthy }) => `${id} ${state}${healthy ? '' : ' unhealthy'}`)

useFakeTimers()

describe('a source of discovery', () => {
  it('sets states and health beside the members, in one change', () => {
    const { pool, report } = discovering()
    let changes = 0
    pool.watch(() => (changes += 1))
    report(pod('a'), pod('b', { state: 'drain' }), pod('c', { healthy: false }), pod('d', { state: 'maint' }))
    expect(rows(pool)).toEqual(['a ready', 'b drain', 'c ready unhealthy', 'd maint'])
    expect(pool.candidates.map(({ backend }) => backend.id)).toEqual(['a'])
    expect(changes).toBe(1)
    report(pod('a'), pod('b', { state: 'drain' }), pod('c', { healthy: false }), pod('d', { state: 'maint' }))
    expect(changes).toBe(1)
    report(pod('b', { state: 'maint' }), pod('c'))
    expect(rows(pool)).toEqual(['b maint', 'c ready'])
    expect(changes).toBe(2)
  })

  it('is one of two witnesses of health: health checks are the other', () => {
    const { pool, report } = discovering()
    const events = heard<{ backend: string; healthy: boolean; by: string }>('limpet:health-changed')
    report(pod('a', { healthy: false }), pod('b'))
    expect(events).toEqual([])
    pool.setHealthy('a', true)
    expect(pool.find('a')?.healthy).toBe(false)
    report(pod('a'), pod('b', { healthy: false }))
    expect(events).toMatchObject([
      { backend: 'a', healthy: true, by: 'discovery' },
      { backend: 'b', healthy: false, by: 'discovery' },
    ])
    pool.setHealthy('a', false)
    report(pod('a'), pod('b'))
    expect(rows(pool)).toEqual(['a ready unhealthy', 'b ready'])
  })

  it('gives no waiting request to a new backend that is not healthy', () => {
    const { pool, report } = discovering()
    const seen: string[][] = []
    const place = pool.queue.enter(
      undefined,
      () => {
        seen.push(pool.candidates.map(({ backend }) => backend.id))
        return false
      },
      60_000,
      () => undefined,
    )
    report(pod('a', { healthy: false }))
    report(pod('a', { healthy: false }), pod('b'))
    place.leave()
    expect(seen.at(-1)).toEqual(['b'])
    expect(seen.flat()).not.toContain('a')
  })

  it('drains with a deadline, which later reports do not put off', async () => {
    const { pool, report } = discovering()
    pool.countSessionsWith(() => 1)
    report(pod('a'), pod('b'))
    const draining = pod('a', { state: 'drain', drainDeadlineMs: 60_000 })
    report(draining, pod('b'))
    await vi.advanceTimersByTimeAsync(59_000)
    report(draining, pod('b'), pod('c'))
    expect(rows(pool)).toEqual(['a drain', 'b ready', 'c ready'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(rows(pool)).toEqual(['a maint', 'b ready', 'c ready'])
    report(draining, pod('b'))
    expect(rows(pool)).toEqual(['a maint', 'b ready'])
    await vi.advanceTimersByTimeAsync(5_000)
    report(pod('b'))
    expect(rows(pool)).toEqual(['b ready'])
  })

  it('brings back a backend whose drain has ended, when it is the same server', async () => {
    const { pool, report } = discovering()
    pool.countSessionsWith(() => 0)
    report(pod('a', { state: 'drain', drainDeadlineMs: 60_000 }))
    await vi.advanceTimersByTimeAsync(0)
    expect(rows(pool)).toEqual(['a maint'])
    report(pod('a'))
    expect(rows(pool)).toEqual(['a ready'])
  })

  it.each(['maint', 'drain'] as const)('leaves the state %s to the operator that commanded it', state => {
    const { pool, report } = discovering()
    report(pod('a'), pod('b'))
    pool.setState('a', state)
    report(pod('a'), pod('b'), pod('c'))
    expect(rows(pool)).toEqual([`a ${state}`, 'b ready', 'c ready'])
    pool.setState('b', 'ready')
    report(pod('a', { state: 'drain' }), pod('b', { state: 'drain' }))
    expect(rows(pool)).toEqual([`a ${state}`, 'b drain'])
    pool.setState('b', 'ready')
    report(pod('a', { state: 'drain' }), pod('b', { state: 'maint' }))
    expect(rows(pool)).toEqual([`a ${state}`, 'b ready'])
  })

  it('does not touch the deadline of a drain that an operator commanded', async () => {
    const { pool, report } = discovering()
    pool.countSessionsWith(() => 1)
    report(pod('a'))
    const { drained } = pool.drain('a', { deadline: '1m' })
    report(pod('a', { state: 'drain', drainDeadlineMs: 1_000 }))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(rows(pool)).toEqual(['a drain'])
    await vi.advanceTimersByTimeAsync(55_000)
    expect(await drained).toMatchObject({ outcome: 'deadline' })
  })

  it('begins the drain anew in a pool that takes over', async () => {
    const draining = pod('a', { state: 'drain', drainDeadlineMs: 60_000 })
    const before = discovering()
    before.pool.countSessionsWith(() => 1)
    before.report(draining)
    before.discovery.close()
    before.pool.setState('a', 'drain')
    const { pool, report } = discovering(
      (() => {
        const next = new LivePool('p', [])
        next.countSessionsWith(() => 1)
        next.takeOver(before.pool)
        return next
      })(),
    )
    report(draining)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(rows(pool)).toEqual(['a maint'])
    await vi.advanceTimersByTimeAsync(5_000)
  })

  it('keeps its state in a pool that takes over', () => {
    const before = discovering()
    before.report(pod('a', { healthy: false }), pod('b'))
    const pool = new LivePool('p', [])
    pool.takeOver(before.pool)
    expect(rows(pool)).toEqual(['a ready unhealthy', 'b ready'])
  })

  it('changes nothing by a list with a malformed backend, and says so', () => {
    const failures = heard<{ pool: string; name: string; error: Error }>('limpet:discovery-failed')
    const { pool, report } = discovering()
    report(pod('a'))
    report(pod('b'), { id: 'not an id', url: 'http://c.test' })
    report({ id: 'a', url: 'no url' })
    report(pod('b', { weight: -1 }))
    expect(rows(pool)).toEqual(['a ready'])
    expect(failures).toMatchObject([
      { pool: 'p', name: 'registry', error: { option: 'backends[1].id' } },
      { error: { code: 'ERR_INVALID_URL' } },
      { error: { option: 'backends[0].weight' } },
    ])
  })

  it('is not listened to after it was closed', () => {
    const failures = heard('limpet:discovery-failed')
    const { pool, report, failed, discovery } = discovering()
    report(pod('a'))
    failed(new Error('away'))
    discovery.close()
    report(pod('b'))
    failed(new Error('away'))
    expect(rows(pool)).toEqual(['a ready'])
    expect(failures).toHaveLength(1)
  })

  it('takes no id of a configured backend', () => {
    const { pool, report } = discovering(new LivePool('p', [{ id: 'a', url: 'http://own.test' }]))
    report(pod('a', { state: 'maint' }), pod('b'))
    expect(rows(pool)).toEqual(['a ready', 'b ready'])
    expect(pool.find('a')).toMatchObject({
      backend: { url: { hostname: 'own.test' } },
      discovered: undefined,
    })
  })
})

it.each([[{ dns: 'app:80' }], [undefined], [{ subscribe: true, name: 'x' }], [{ subscribe() {} }], ['x']])(
  '%j is no source',
  value => expect(isDiscoverySource(value)).toBe(false),
)
