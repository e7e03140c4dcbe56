import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { HealthChangedEvent } from '../diagnostics.ts'
import { LivePool } from '../pool/live-pool.ts'
import { startHealthChecks } from './health-checks.ts'
import { parseHealth } from './health-options.ts'
import { checked, closers, healthy, pass, type Verdict, useCheckTimers } from './checked-pool.fixture.ts'

useCheckTimers()

describe('health checks', () => {
  it('find a backend down after `fall` failures in a row, and up after `rise` successes', async () => {
    const { pool, verdicts } = checked('ab', { fall: 3, rise: 2 })
    await pass(5_000)
    verdicts.set('a', 'sick')
    await pass(20_000)
    expect(healthy(pool)).toBe('ab')
    await pass(10_000)
    expect(healthy(pool)).toBe('b')
    verdicts.set('a', 'well')
    await pass(10_000)
    expect(healthy(pool)).toBe('b')
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('are as sure of one that says nothing: within interval × fall + timeout', async () => {
    const { pool, verdicts, most } = checked('a', { fall: 3 })
    await pass(5_000)
    verdicts.set('a', 'silent')
    await pass(10_000 * 3 + 999)
    expect(healthy(pool)).toBe('a')
    await pass(1)
    expect(healthy(pool)).toBe('')
    expect(most.atOnce).toBe(1)
  })

  it.each([400, 3_600_000])(
    'find nothing when their own process was starved for %i ms, and check again',
    async stoodMs => {
      const { pool, verdicts, asked } = checked('a', { fall: 1 })
      verdicts.set('a', 'silent')
      await pass(5_000)
      // The timer is that late: fake ones never are.
      const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000 + stoodMs)
      await pass(1_000)
      now.mockRestore()
      await pass(1_500)
      expect([healthy(pool), asked.length]).toEqual(['a', 1])
      await pass(20_000)
      expect([healthy(pool), asked.length > 1]).toEqual(['', true])
    },
  )

  it('find nothing when their own process was starved in the middle of the timeout', async () => {
    const { pool, verdicts, asked } = checked('a', { fall: 1 })
    verdicts.set('a', 'silent')
    await pass(5_000)
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 600)
    await pass(200)
    now.mockRestore()
    await pass(2_000)
    expect([healthy(pool), asked.length]).toEqual(['a', 1])
    await pass(20_000)
    expect([healthy(pool), asked.length > 1]).toEqual(['', true])
  })

  it('find a silent backend although their own process is starved in each of them', async () => {
    const { pool, verdicts } = checked('ab', { fall: 1 })
    verdicts.set('a', 'silent')
    const now = performance.now.bind(performance)
    let lagMs = 0
    const late = vi.spyOn(performance, 'now').mockImplementation(() => now() + lagMs)
    onTestFinished(() => late.mockRestore())
    for (let times = 0; times < 200; times += 1) {
      lagMs += 600
      await pass(600)
    }
    expect(healthy(pool)).toBe('b')
  })

  it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])(
    'find nothing when their own process has no resources: %s',
    async code => {
      const pool = new LivePool('p', [{ id: 'a', url: 'http://a.test' }])
      const settings = parseHealth('health', { interval: '1s', timeout: '1s', fall: 1 })
      if (settings === undefined) throw new Error('no settings')
      let probes = 0
      const checks = startHealthChecks(pool, settings, async () => {
        probes += 1
        throw Object.assign(new Error(`connect ${code}`), { code })
      })
      closers.push(() => checks.close())
      await pass(10_000)
      expect([healthy(pool), probes > 5]).toEqual(['a', true])
    },
  )

  it('have one probe at a time, however long it takes [T-55]', async () => {
    const { verdicts, most, asked } = checked('a', { interval: '10ms', timeout: '5s' })
    verdicts.set('a', 'silent')
    await pass(20_000)
    expect(asked).toHaveLength(4)
    expect(most.atOnce).toBe(1)
  })

  it('are spread over the first interval, and come in its rhythm', async () => {
    const { asked } = checked('ab')
    await pass(4_999)
    expect(asked).toEqual([])
    await pass(1)
    expect(asked).toEqual(['a', 'b'])
    await pass(30_000)
    expect(asked).toHaveLength(8)
  })

  it('take a backend for down until it is proven up, where that is asked for', async () => {
    const verdicts = new Map<string, Verdict>([['b', 'sick']])
    const { pool } = checked('ab', { initial: 'down', rise: 3 }, verdicts)
    expect(healthy(pool)).toBe('')
    await pass(0)
    expect(healthy(pool)).toBe('a')
    verdicts.set('b', 'well')
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
    pool.add({ id: 'c', url: 'http://c.test' })
    expect(healthy(pool)).toBe('ab')
    await pass(0)
    expect(healthy(pool)).toBe('abc')
  })

  it('continue from the results of earlier checks', async () => {
    const before = checked('ab', { fall: 1 }, new Map([['a', 'sick']]))
    await pass(5_000)
    expect(healthy(before.pool)).toBe('b')
    before.checks.close()
    const pool = new LivePool('p', [])
    pool.takeOver(before.pool)
    const told: unknown[] = []
    const listener = (event: unknown): void => void told.push(event)
    subscribe('limpet:health-changed', listener)
    onTestFinished(() => void unsubscribe('limpet:health-changed', listener))
    // Whatever they begin with where nothing is known.
    const { asked } = checked('', { initial: 'down', rise: 2 }, new Map(), pool)
    expect([healthy(pool), told]).toEqual(['b', []])
    await pass(0)
    // A backend that is down is probed first.
    expect([healthy(pool), asked]).toEqual(['b', ['a']])
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('follow the membership: one with another url is another', async () => {
    const { pool, verdicts, asked } = checked('a')
    verdicts.set('a', 'silent')
    await pass(5_000)
    pool.replace([{ id: 'a', url: 'http://other.test' }])
    pool.add({ id: 'b', url: 'http://b.test' })
    pool.remove('b')
    verdicts.set('a', 'well')
    asked.length = 0
    await pass(25_000)
    expect(asked).toEqual(['a', 'a', 'a'])
    expect(healthy(pool)).toBe('a')
  })

  it.each(['up', 'down'] as const)(
    'skip backends in maintenance, and start over when one comes back: %s',
    async initial => {
      const { pool, verdicts, asked } = checked('ab', { initial, fall: 1 })
      await pass(5_000)
      verdicts.set('a', 'sick')
      await pass(10_000)
      expect(healthy(pool)).toBe('b')
      pool.setState('a', 'maint')
      await pass(10_000)
      expect(healthy(pool)).toBe(initial === 'up' ? 'ab' : 'b')
      asked.length = 0
      await pass(30_000)
      expect(asked).not.toContain('a')
      verdicts.set('a', 'well')
      pool.setState('a', 'ready')
      await pass(10_000)
      expect(healthy(pool)).toBe('ab')
      expect(asked).toContain('a')
    },
  )

  it.each(['up', 'down'] as const)('begin anew after maintenance, however short: %s', async initial => {
    const { pool, verdicts, asked } = checked('abz', { initial, fall: 1, rise: 3 })
    await pass(5_000)
    verdicts.set('a', 'sick')
    await pass(10_000)
    expect(healthy(pool)).toBe('bz')
    for (const id of 'ab') {
      pool.setState(id, 'maint')
      verdicts.set(id, 'well')
      pool.setState(id, 'ready')
    }
    expect(healthy(pool)).toBe(initial === 'up' ? 'abz' : 'z')
    asked.length = 0
    await pass(initial === 'up' ? 5_000 : 0)
    expect(asked).toContain('a')
    expect(healthy(pool)).toBe('abz')
  })

  it('ignore failures of a backend during its maintenance', async () => {
    const { pool, verdicts } = checked('ab', { fall: 1 })
    verdicts.set('a', 'silent')
    await pass(5_500)
    pool.setState('a', 'maint')
    verdicts.set('a', 'well')
    await pass(100)
    pool.setState('a', 'ready')
    await pass(1_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('continue in order when a listener to an event changes the pool', async () => {
    const name = 'limpet:health-changed'
    const { pool, asked, checks } = checked('ab', { initial: 'down', interval: '1s' })
    function replaceSick({ backend, healthy: isUp }: HealthChangedEvent): void {
      if (isUp || backend !== 'c') return
      pool.remove('d')
      pool.add({ id: 'e', url: 'http://e.test' })
    }
    const listener = (event: unknown): void => replaceSick(event as HealthChangedEvent)
    subscribe(name, listener)
    onTestFinished(() => void unsubscribe(name, listener))
    pool.replace(Array.from('abcd', id => ({ id, url: `http://${id}.test` })))
    await pass(0)
    expect(asked).toEqual(['a', 'b', 'c', 'e'])
    expect(healthy(pool)).toBe('abce')
    checks.close()
    await pass(10_000)
    expect(asked).toHaveLength(4)
  })

  it('end when they are closed, in the middle of a probe too', async () => {
    const { pool, verdicts, asked, checks } = checked('ab')
    verdicts.set('a', 'silent')
    await pass(5_000)
    checks.close()
    checks.close()
    await pass(100_000)
    expect(asked).toEqual(['a', 'b'])
    pool.add({ id: 'c', url: 'http://c.test' })
    await pass(100_000)
    expect(asked).toEqual(['a', 'b'])
  })
})
