import { expect, it } from 'vitest'
import type { Claim } from '../policies/policy.ts'
import { LivePool } from '../pool/live-pool.ts'
import { backend, hold } from '../pool/pool.fixture.ts'
import { moveReason } from './move-reason.ts'

function reasonAt(
  change: (pool: LivePool) => void,
  claims: readonly Claim[] = [{ kind: 'backend', id: 'a' }],
) {
  const pool = new LivePool('p', [backend('a', { maxInFlight: 1 }), backend('b')])
  change(pool)
  return moveReason({ pool }, claims)
}

it.each<[string, (pool: LivePool) => void, string]>([
  ['in maintenance', pool => pool.setState('a', 'maint'), 'drained'],
  ['down', pool => pool.setHealthy('a', false), 'failed'],
  ['full', pool => void hold(pool, 'a'), 'full'],
  ['able to take it', () => undefined, 'rebalanced'],
])('is told of a backend that is %s: %s', (_, change, reason) => {
  expect(reasonAt(change)).toBe(reason)
})

it('is that of the first claim to a member', () => {
  const claims: readonly Claim[] = [
    { kind: 'invalid' },
    { kind: 'backend', id: 'gone' },
    { kind: 'backend', id: 'a' },
    { kind: 'backend', id: 'b' },
  ]
  expect(reasonAt(pool => pool.setHealthy('a', false), claims)).toBe('failed')
  expect(reasonAt(() => undefined, claims.slice(0, 2))).toBeUndefined()
})
