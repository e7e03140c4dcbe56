import { expect, it } from 'vitest'
import { roundRobin } from '../balancers/round-robin.ts'
import { PIN_FIELD } from '../http/own-fields.ts'
import { LivePool } from '../pool/live-pool.ts'
import { backend, hold } from '../pool/pool.fixture.ts'
import { request, requestOfLines } from '../request.fixture.ts'
import { decidePinned, hasPin, pinValues } from './pinned.ts'

it('reads pins of the field, then of the cookie, and no more than five in all', () => {
  const cookies = ['1', '2', '3', '4', '5'].map(value => `${PIN_FIELD}=${value}`).join('; ')
  const both = requestOfLines([
    ['Cookie', cookies],
    [PIN_FIELD, '0'],
  ])
  expect([hasPin(both), pinValues(both)]).toEqual([true, ['0', '1', '2', '3', '4']])
  expect([hasPin(request(`x${PIN_FIELD}=1`)), pinValues(request(`x${PIN_FIELD}=1`))]).toEqual([true, []])
  expect([hasPin(request('a=1')), pinValues(request())]).toEqual([false, []])
})

it.each<[string, (pool: LivePool) => void, string | undefined]>([
  ['drains', pool => pool.setState('a', 'drain'), 'a'],
  [
    'is in maintenance and was found down',
    pool => {
      pool.setState('a', 'maint')
      pool.setHealthy('a', false)
    },
    'a',
  ],
  ['is down', pool => pool.setHealthy('a', false), 'b'],
  ['is full', pool => void hold(pool, 'a'), 'b'],
  ['has left', pool => void pool.remove('a'), 'b'],
  ['has left, as all have', pool => pool.replace([]), undefined],
])('decides about a pinned request whose backend %s', (_, change, to) => {
  const pool = new LivePool('p', [backend('a', { maxInFlight: 1 }), backend('b')])
  change(pool)
  const context = { pool, balancer: roundRobin() } as unknown as Parameters<typeof decidePinned>[0]
  const decision = decidePinned(context, request(), 'a')
  expect(decision?.view.backend.id).toBe(to)
  expect(decision?.isPinned).toBe(to === undefined ? undefined : true)
})
