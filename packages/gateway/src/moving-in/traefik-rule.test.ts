import { describe, expect, it } from 'vitest'
import { readRule } from './traefik-rule.ts'

describe('a rule', () => {
  it.each([
    ['Host(`a.b`)', [{ host: 'a.b' }]],
    ['Host(`a`, `b`)', [{ host: 'a' }, { host: 'b' }]],
    ['Host("a") && Path(`/x`)', [{ host: 'a', path: '/x' }]],
    [
      '(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)',
      [
        { host: 'a', path: '/x' },
        { host: 'b', path: '/x' },
      ],
    ],
    ['Host(`a`) && Host(`b`)', undefined],
    ['Host(`a`) && !Path(`/x`)', undefined],
    ['HostRegexp(`a`)', undefined],
    ['Host(`a', undefined],
    ['Host(`a`) &&', undefined],
    ['(Host(`a`)', undefined],
    ['', undefined],
    [`${'('.repeat(150)}Host(\`a\`)${')'.repeat(150)}`, undefined],
  ])('%s', (rule, matches) => {
    expect(readRule(rule)).toEqual(matches)
  })
})
