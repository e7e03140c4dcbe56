import { statsJson, statsJsonPieces } from '@limpet/stats'
import { describe, expect, test } from 'vitest'
import { poolOf, visit } from '../support/operator.ts'

describe('figures as JSON', () => {
  test('are the figures, with quantiles in place of buckets and two decimals at most', async () => {
    const affinity = poolOf(2)
    for (let n = 0; n < 5; n += 1) await visit(affinity)
    affinity.pool.noteCheck('w1', { healthy: true, problem: undefined, durationMs: 12.345_678 })
    const figures = affinity.stats()
    const [w1] = figures.backends
    const written = JSON.parse(statsJson({ pools: { web: figures } })) as { pools: { web: object } }
    expect(written.pools.web).toMatchObject({
      pool: 'web',
      candidates: 2,
      refused: {},
      affinity: { none: 5 },
    })
    expect(written).toMatchObject({
      pools: {
        web: {
          queueTimes: { count: 0 },
          durations: { count: 5, p99Ms: expect.any(Number) as number },
          backends: [
            { id: 'w1', url: w1?.url, checks: { passed: 1, last: { healthy: true, durationMs: 12.35 } } },
            { id: 'w2', responses: { '1xx': 0, '2xx': 2 } },
          ],
        },
      },
    })
    expect(Object.keys(written.pools.web)).toEqual(Object.keys(figures))
  })

  test.each([
    [{}, '{}'],
    [{ a: undefined, b: [] }, '{"b":[]}'],
    [{ a: undefined }, '{}'],
    [[], '[]'],
    [
      { a: [undefined, null, 'x"'], b: { c: { d: { e: [{}, 0.5] } } } },
      '{"a":[null,null,"x\\""],"b":{"c":{"d":{"e":[{},0.5]}}}}',
    ],
    [{ a: Number.NaN }, '{"a":null}'],
  ])('of %j are %s', (stats, text) => {
    expect(statsJson(stats)).toBe(text)
  })

  test('of many backends come in as many pieces', () => {
    const pieces = [...statsJsonPieces({ pools: { web: poolOf(100).stats() } })]
    expect(pieces.length).toBeGreaterThan(100)
    expect(Math.max(...pieces.map(piece => piece.length))).toBeLessThan(3_000)
  })
})
