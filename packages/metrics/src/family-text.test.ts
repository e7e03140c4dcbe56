import { describe, expect, it } from 'vitest'
import { type AnyFamily, counter, gauge, histogram } from './family.ts'
import { HTTP_BOUNDS_S, textOf } from './family-text.ts'

function text(families: readonly AnyFamily[], format: 'prometheus' | 'openmetrics' = 'prometheus'): string {
  return [...textOf(families, format)].join('')
}

describe('the text of families', () => {
  const families = [counter('a', 'A.', [['{x="1"}', 2]]), gauge('b', 'B.', [['', 0.5]])]

  it('has its title and its samples', () => {
    expect(text(families)).toBe(`\
# HELP a_total A.
# TYPE a_total counter
a_total{x="1"} 2
# HELP b B.
# TYPE b gauge
b 0.5
`)
  })

  it('names a counter without its ending in OpenMetrics, and has an end', () => {
    expect(text(families, 'openmetrics')).toBe(`\
# HELP a A.
# TYPE a counter
a_total{x="1"} 2
# HELP b B.
# TYPE b gauge
b 0.5
# EOF
`)
  })

  it('comes in pieces of some kilobytes', () => {
    const samples = Array.from({ length: 2_000 }, (_, n): [string, number] => [`{n="${n}"}`, n])
    const pieces = [...textOf([gauge('a_long_name', 'A.', samples)], 'prometheus')]
    expect(pieces.length).toBeGreaterThan(1)
    for (const piece of pieces) expect(piece.length).toBeLessThan(20_000)
    expect(pieces.join('').split('\n')).toHaveLength(2_000 + 3)
  })
})

it('adds the finer buckets of a histogram up, each bound with those below it', () => {
  const buckets = Array.from({ length: 60 }, () => 1)
  const family = histogram('h', 'H.', [['{p="web"}', { count: 60, sumMs: 1_500, buckets }]])
  const lines = text([family]).split('\n')
  const counts = lines.filter(line => line.startsWith('h_bucket')).map(line => Number(line.split(' ').at(-1)))
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  expect(counts).toHaveLength(HTTP_BOUNDS_S.length + 1)
  expect(counts.at(-1)).toBe(60)
  expect(lines).toContain('h_bucket{p="web",le="0.005"} 16')
  expect(lines).toContain('h_sum{p="web"} 1.5')
  expect(lines).toContain('h_count{p="web"} 60')
  expect(text([family], 'openmetrics')).toContain('le="1.0"')
})
