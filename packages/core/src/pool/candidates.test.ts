import { expect, it } from 'vitest'
import { chooseCandidates } from './candidates.ts'
import { LivePool } from './live-pool.ts'
import { backend } from './pool.fixture.ts'

function candidatesAfter(change: (pool: LivePool) => void) {
  const pool = new LivePool('p', [backend('a'), backend('b'), backend('z', { backup: true })])
  change(pool)
  const idsOf = (list: LivePool['candidates']): string => list.map(({ backend: { id } }) => id).join('')
  expect(idsOf(chooseCandidates(pool.backends))).toBe(idsOf(pool.candidates))
  return [idsOf(pool.candidates), idsOf(pool.backupCandidates)]
}

it.each<[string, (pool: LivePool) => void, readonly [string, string]]>([
  ['all are well', () => undefined, ['ab', 'z']],
  ['one is down', pool => pool.setHealthy('a', false), ['b', 'z']],
  ['one drains', pool => pool.setState('a', 'drain'), ['b', 'z']],
  ['one drains by its own word', pool => pool.setSelfDraining('a', true), ['b', 'z']],
  ['one has no weight', pool => pool.setWeight('a', 0), ['b', 'z']],
  ['the backup drains', pool => pool.setState('z', 'drain'), ['ab', '']],
  [
    'only the backup is left',
    pool => {
      pool.setState('a', 'drain')
      pool.setHealthy('b', false)
    },
    ['z', ''],
  ],
  [
    'all drain',
    pool => {
      for (const id of ['a', 'b', 'z']) pool.setState(id, 'drain')
    },
    ['abz', ''],
  ],
  [
    'none may be used',
    pool => {
      for (const id of ['a', 'b', 'z']) pool.setState(id, 'maint')
    },
    ['', ''],
  ],
])('are chosen when %s', (_, change, ids) => {
  expect(candidatesAfter(change)).toEqual(ids)
})

it('are the same list until something changes', () => {
  const pool = new LivePool('p', [backend('a'), backend('b')])
  const { candidates } = pool
  expect(pool.candidates).toBe(candidates)
  pool.setWeight('a', 2)
  expect(pool.candidates).not.toBe(candidates)
})
