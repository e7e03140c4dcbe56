import { expect, it } from 'vitest'
import { explanationText } from './report.ts'

it('prints an explanation as tables, without characters that a terminal obeys', () => {
  const text = explanationText({
    pool: 'web',
    backend: 'w2',
    status: 'unavailable',
    by: 'balancer',
    reason: "the session's backend w1 is down, so round-robin gives it w2",
    balancer: 'round-robin',
    policies: [
      {
        policy: 'own\u001b[2J',
        keys: [{ claim: 'backend', backend: 'w1', obstacle: 'down', value: 'v1.3fK9a... (78 characters)' }],
      },
    ],
    backends: [
      { id: 'w1', candidate: false, obstacle: 'down' },
      { id: 'w2', candidate: true },
    ],
    backendsLeftOut: 3,
  })
  expect(text.replaceAll(/ {2,}/g, '  '))
    .toBe(`web: the session's backend w1 is down, so round-robin gives it w2.
affinity status: unavailable; balancer: round-robin

policy  key  value  result
own [2J  v1.3fK9a... (78 characters)  names w1, which is down

backend  new sessions  why not
w1  no  is down
w2  yes
and 3 more
`)
})
