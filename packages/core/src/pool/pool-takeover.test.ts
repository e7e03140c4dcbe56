import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LivePool } from './live-pool.ts'
import type { PoolSettings } from './pool-settings.ts'

const UNREACHED = { kind: 'unreached', slow: false, cause: undefined } as const
const PASSIVE = { fall: 1, retryAfterMs: 10_000, statuses: new Set<number>() }

function poolOf(ids: string, settings: Partial<PoolSettings> = {}): LivePool {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test` }))
  return new LivePool('p', backends, settings)
}

function serve(pool: LivePool, id: string, isGood = true): void {
  const view = pool.find(id)
  if (view === undefined) throw new Error(`there is no ${id}`)
  const hold = pool.hold(view)
  if (isGood) hold.responded(200)
  else hold.failed(UNREACHED)
  hold.release()
}

function succeed(before: LivePool, settings?: Partial<PoolSettings>): LivePool {
  const pool = poolOf('xyz', settings)
  pool.takeOver(before)
  return pool
}

describe('a pool that takes over from another', () => {
  it('has its members, with operators’ commands', () => {
    const before = poolOf('abc', { maxInFlight: 5 })
    before.remove('b')
    before.add({ id: 'd', url: 'http://d.test', backup: true, maxInFlight: 9 })
    before.setState('a', 'drain')
    before.setWeight('c', 7)
    const pool = succeed(before, { maxInFlight: 6 })
    expect(pool.backends.map(({ options }) => options)).toEqual(before.backends.map(({ options }) => options))
    // Its own limit holds for those that have none.
    expect(pool.backends.map(({ backend, maxInFlight }) => [backend.id, maxInFlight])).toEqual([
      ['a', 6],
      ['c', 6],
      ['d', 9],
    ])
    pool.setMaxInFlight('d', undefined)
    expect(pool.find('d')?.maxInFlight).toBe(6)
  })

  it('keeps their observed health, and continues their counts', () => {
    let nowMs = 0
    const now = (): number => nowMs
    const before = poolOf('abc', { passive: PASSIVE, now })
    before.setHealthy('a', false)
    serve(before, 'b', false)
    serve(before, 'c')
    const pool = succeed(before, { passive: PASSIVE, now })
    const seen = pool.backends.map(({ healthy, isUsable, requests, failures }) => [
      healthy,
      isUsable,
      requests,
      failures,
    ])
    expect(seen).toEqual([
      [false, false, 0, 0],
      [false, false, 1, 1],
      [true, true, 1, 0],
    ])
    expect(pool.requests).toBe(2)
    nowMs = 10_000
    expect(pool.find('b')?.isUsable).toBe(true)
    // A pool without outlier detection ejects no backend.
    expect(succeed(before).backends.map(({ healthy }) => healthy)).toEqual([false, true, true])
  })

  it('restarts no slow start, and continues one that is under way', () => {
    let nowMs = 0
    const settings = { slowStartMs: 10_000, now: () => nowMs }
    const before = poolOf('ab', settings)
    serve(before, 'a')
    before.add({ id: 'c', url: 'http://c.test' })
    nowMs = 5_000
    const pool = succeed(before, settings)
    const weights = (): number[] => [...pool.candidates].map(({ effectiveWeight }) => effectiveWeight)
    expect(weights()).toEqual([1, 1, 0.55])
    nowMs = 10_000
    expect(weights()).toEqual([1, 1, 1])
    pool.add({ id: 'd', url: 'http://d.test' })
    expect(weights()).toEqual([1, 1, 1, 0.05])
  })

  it('has nothing to tell, and holds none of the other’s requests', () => {
    const told: unknown[] = []
    const listener = (event: unknown): void => void told.push(event)
    for (const name of ['members-changed', 'state-changed', 'health-changed']) {
      subscribe(`limpet:${name}`, listener)
      onTestFinished(() => void unsubscribe(`limpet:${name}`, listener))
    }
    const before = poolOf('ab')
    const [a] = before.backends
    if (a === undefined) throw new Error('no candidate')
    const hold = before.hold(a)
    const pool = succeed(before)
    expect([told, pool.inFlight, pool.find('a')?.inFlight]).toEqual([[], 0, 0])
    hold.release()
    expect([before.inFlight, pool.inFlight]).toEqual([0, 0])
  })

  it('refuses a pool of another make', () => {
    expect(() => poolOf('a').takeOver({ backends: [] } as never)).toThrow(TypeError)
  })
})
