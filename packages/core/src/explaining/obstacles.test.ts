import { expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { backend, hold } from '../pool/pool.fixture.ts'
import { explainBackends, keptFrom } from './obstacles.ts'

type Change = (pool: LivePool) => void

function poolAfter(change: Change): LivePool {
  const pool = new LivePool('p', [
    backend('a', { maxInFlight: 1 }),
    backend('b'),
    backend('z', { backup: true }),
  ])
  change(pool)
  return pool
}

it.each<[string, Change, string | undefined]>([
  ['able to take it', () => undefined, undefined],
  ['draining', pool => pool.setState('a', 'drain'), undefined],
  ['gone', pool => void pool.remove('a'), 'removed'],
  ['in maintenance', pool => pool.setState('a', 'maint'), 'maint'],
  ['down', pool => pool.setHealthy('a', false), 'down'],
  ['full', pool => void hold(pool, 'a'), 'full'],
])('keeps a session from a backend that is %s: %s', (_, change, obstacle) => {
  expect(keptFrom(poolAfter(change), 'a', undefined, false)).toBe(obstacle)
})

it('keeps a session from its backup where it has to return, and others can take it', () => {
  const pool = poolAfter(() => undefined)
  expect([keptFrom(pool, 'z', undefined, true), keptFrom(pool, 'z', undefined, false)]).toEqual([
    'backup',
    undefined,
  ])
  pool.setState('b', 'maint')
  hold(pool, 'a')
  expect(keptFrom(pool, 'z', undefined, true)).toBeUndefined()
})

it.each<[string, Change, Readonly<Record<string, string | undefined>>]>([
  ['all are well', () => undefined, { z: 'backup' }],
  ['one is full', pool => void hold(pool, 'a'), { a: 'full', z: 'backup' }],
  ['one has no weight', pool => pool.setWeight('a', 0), { a: 'weight-0', z: 'backup' }],
  ['one drains', pool => pool.setState('a', 'drain'), { a: 'drain', z: 'backup' }],
  ['one drains by its own word', pool => pool.setSelfDraining('a', true), { a: 'self-drain', z: 'backup' }],
  [
    'the backup has to serve',
    pool => {
      pool.setHealthy('a', false)
      pool.setState('b', 'maint')
    },
    { a: 'down', b: 'maint' },
  ],
  [
    'all others are full',
    pool => {
      hold(pool, 'a')
      pool.setState('b', 'maint')
    },
    { a: 'full', b: 'maint' },
  ],
])('keeps new sessions, when %s, from %o', (_, change, obstacles) => {
  const explained = explainBackends(poolAfter(change))
  expect(explained.map(({ id }) => id)).toEqual(['a', 'b', 'z'])
  for (const { id, candidate, obstacle } of explained)
    expect([id, candidate, obstacle]).toEqual([id, obstacles[id] === undefined, obstacles[id]])
})
