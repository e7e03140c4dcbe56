import { expect, it } from 'vitest'
import { affinityOf, failure, redispatch } from '../lease.fixture.ts'
import { request } from '../request.fixture.ts'
import type { Affinity } from '../affinity.ts'
import type { Lease } from '../lease.ts'
import { DECISION_FIELD } from './decision-field.ts'
import type { Explanation } from './explanation.ts'

/** The lease of a request that asks for its decision. */
function explained(affinity: Affinity): Lease {
  const token = affinity.debugToken()
  const headers = { host: 'a', 'limpet-debug': token }
  const rawHeaders = ['Host', 'a', 'Limpet-Debug', token]
  return affinity.select(request(undefined, { headers, rawHeaders })) as Lease
}

it('gives the decision and the attempts with the response, which no shared cache may keep', () => {
  const affinity = affinityOf('abc', { balance: 'first', affinity: [] })
  const lease = explained(affinity)
  expect(lease.explanation).toMatchObject({ backend: 'a', attempts: [{ backend: 'a' }] })
  redispatch(lease, failure('unreached'))
  const fields = lease.responded({ statusCode: 200, headers: { 'cache-control': 'max-age=60' } })
  const told = JSON.parse(String(fields[DECISION_FIELD])) as Explanation
  expect(told.attempts).toMatchObject([
    { backend: 'a', outcome: 'unreached' },
    { backend: 'b', outcome: 'responded', statusCode: 200 },
  ])
  expect(String(fields['cache-control'])).toContain('private')
  lease.release()
  expect(affinity.pool.inFlight).toBe(0)
})

it('is the lease that it wraps in all else', () => {
  const affinity = affinityOf('ab', { balance: 'first', retryOn: [503] })
  const lease = explained(affinity)
  expect([lease.backend.id, lease.status, lease.target, lease.client.address]).toEqual([
    'a',
    'none',
    '/',
    '192.0.2.1',
  ])
  expect(lease.requestLines().join(' ')).not.toMatch(/limpet-debug/i)
  expect([lease.retries(503), lease.retries(500)]).toEqual([true, false])
  let recalled = 0
  lease.onceRecalled(() => (recalled += 1))
  lease.connected()
  affinity.pool.recall()
  lease.release()
  expect([recalled, affinity.pool.inFlight]).toEqual([1, 0])
})
