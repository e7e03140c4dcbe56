import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { checked, healthy, pass, useCheckTimers } from './checked-pool.fixture.ts'

useCheckTimers()

const candidates = (pool: LivePool): string => pool.candidates.map(({ backend }) => backend.id).join('')

describe('a backend that drains itself', () => {
  it.each(['not-found', 'drain'] as const)(
    'keeps its sessions and takes no new one, until it responds otherwise: %s',
    async verdict => {
      const { pool, verdicts } = checked('ab', { selfDrain: true })
      const told: unknown[] = []
      const listener = (event: unknown): void => void told.push(event)
      subscribe('limpet:state-changed', listener)
      onTestFinished(() => void unsubscribe('limpet:state-changed', listener))
      await pass(5_000)
      verdicts.set('a', verdict)
      await pass(10_000)
      expect([healthy(pool), candidates(pool)]).toEqual(['ab', 'b'])
      expect(pool.find('a')).toMatchObject({ state: 'ready', isUsable: true, selfDraining: true })
      verdicts.set('a', 'well')
      await pass(10_000)
      expect(candidates(pool)).toBe('ab')
      expect(told).toEqual(
        ['drain', 'ready'].map(state => ({ pool: 'p', backend: 'a', state, by: 'backend' })),
      )
    },
  )

  it('takes a new session when no other backend can', async () => {
    const { pool, verdicts } = checked('a', { selfDrain: true })
    verdicts.set('a', 'drain')
    await pass(5_000)
    expect(candidates(pool)).toBe('a')
  })

  it('is not up by a 404 when it was down', async () => {
    const { pool, verdicts } = checked('ab', { selfDrain: true, fall: 1, rise: 1 })
    verdicts.set('a', 'sick')
    await pass(10_000)
    expect(healthy(pool)).toBe('b')
    verdicts.set('a', 'not-found')
    await pass(20_000)
    expect(healthy(pool)).toBe('b')
    verdicts.set('a', 'drain')
    await pass(20_000)
    expect([healthy(pool), candidates(pool)]).toEqual(['ab', 'b'])
  })

  it('starts over after maintenance', async () => {
    const { pool, verdicts } = checked('ab', { selfDrain: true })
    verdicts.set('a', 'drain')
    await pass(10_000)
    pool.setState('a', 'maint')
    verdicts.set('a', 'well')
    pool.setState('a', 'ready')
    expect(candidates(pool)).toBe('ab')
  })

  it('goes on draining in a pool that takes over, unless checks there do not ask', async () => {
    const before = checked('ab', { selfDrain: true }, new Map([['a', 'drain']]))
    await pass(10_000)
    before.checks.close()
    const pool = new LivePool('p', [])
    pool.takeOver(before.pool)
    expect(candidates(pool)).toBe('b')
    checked('', {}, new Map(), pool)
    expect(candidates(pool)).toBe('ab')
  })
})
