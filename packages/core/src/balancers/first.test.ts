import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { first } from './first.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function poolOf(...ids: readonly string[]): LivePool {
  return new LivePool(
    'p',
    ids.map(id => ({ id, url: `http://${id}.test:80` })),
  )
}

function picked(pool: LivePool): string | undefined {
  return first().pick(pool.candidates, BARE_REQUEST)?.backend.id
}

describe('first', () => {
  it('gives all to the first, however busy it is', () => {
    const pool = poolOf('a', 'b', 'c')
    for (let count = 0; count < 100; count += 1) {
      const view = first().pick(pool.candidates, BARE_REQUEST)
      if (view !== undefined) pool.hold(view)
    }
    expect(pool.backends.map(view => view.inFlight)).toEqual([100, 0, 0])
  })

  it('gives to the next when the first is no candidate, and to the first again when it is back', () => {
    const pool = poolOf('a', 'b', 'c')
    pool.setHealthy('a', false)
    expect(picked(pool)).toBe('b')
    pool.setState('b', 'drain')
    expect(picked(pool)).toBe('c')
    pool.setHealthy('a', true)
    expect(picked(pool)).toBe('a')
    pool.setWeight('a', 0)
    expect(picked(pool)).toBe('c')
  })

  it('gives a redispatched request only accepted backends, each once [LB111] [LB164]', () => {
    const pool = poolOf('a', 'b', 'c')
    const tried: string[] = []
    const next = () =>
      first().pick(pool.candidates, BARE_REQUEST, view => !tried.includes(view.backend.id))?.backend.id
    for (let id = next(); id !== undefined; id = next()) tried.push(id)
    expect(tried).toEqual(['a', 'b', 'c'])
  })

  it('returns undefined for an empty pool [LB150]', () => {
    expect(picked(poolOf())).toBeUndefined()
  })
})
