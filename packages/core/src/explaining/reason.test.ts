import { expect, it } from 'vitest'
import type { Explanation, KeyExplanation } from './explanation.ts'
import { reasonOf } from './reason.ts'

const FACTS: Omit<Explanation, 'reason'> = {
  pool: 'web',
  backend: 'b',
  status: 'none',
  by: 'balancer',
  policies: [],
  balancer: 'round-robin',
  backends: [],
}
const withKeys = (...keys: readonly KeyExplanation[]): typeof FACTS => ({
  ...FACTS,
  policies: [
    { policy: 'route', keys: [{ claim: 'none' }] },
    { policy: 'cookie', keys },
  ],
})

it.each<[typeof FACTS, string]>([
  [FACTS, 'the request has no key, so round-robin gives it b'],
  [
    { ...FACTS, backend: undefined },
    'the request has no key, so round-robin draws a backend when the request comes',
  ],
  [
    { ...withKeys({ claim: 'backend', backend: 'b' }), by: 'key' },
    'the key of the cookie policy names b, which can take the request',
  ],
  [
    withKeys({ claim: 'backend', backend: 'a', obstacle: 'self-drain' }),
    "the session's backend a is draining by its own word, so round-robin gives it b",
  ],
  [withKeys({ claim: 'invalid' }, { claim: 'expired' }), 'the key has expired, so round-robin gives it b'],
  [
    withKeys({ claim: 'expired' }, { claim: 'unknown' }),
    'the key names no backend of the pool, so round-robin gives it b',
  ],
  [withKeys({ claim: 'invalid' }), 'the key is invalid, so round-robin gives it b'],
  [
    { ...FACTS, by: 'none', backend: undefined, waits: { for: 'a', timeoutMs: 1 } },
    'the request has no key, so the request waits for a',
  ],
  [
    { ...FACTS, by: 'none', backend: undefined, waits: { for: undefined, timeoutMs: 1 } },
    'the request has no key, so the request waits for a backend',
  ],
  [
    { ...withKeys({ claim: 'backend', backend: 'a', obstacle: 'down' }), by: 'none', status: 'unavailable' },
    "the session's backend a is down, and no backend may take the request: 503 (unavailable)",
  ],
  [
    { ...FACTS, by: 'none', error: { code: 'ERR_REFUSED_REQUEST', statusCode: 400 } },
    'the request is refused with 400 (ERR_REFUSED_REQUEST)',
  ],
])('tells of %o: %s', (facts, reason) => {
  expect(reasonOf(facts)).toBe(reason)
})

it('tells of a pin', () => {
  expect(reasonOf({ ...FACTS, by: 'pin' }, 'b')).toBe('the request is pinned to b')
  expect(reasonOf(FACTS, 'a')).toBe(
    'the request is pinned to a, which is down or full, so round-robin gives it b',
  )
})
