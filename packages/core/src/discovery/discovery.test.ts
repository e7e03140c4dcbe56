import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { at, discovering, pass, useDiscoveryTimers } from './discovering-pool.fixture.ts'

useDiscoveryTimers()

describe('discovery', () => {
  it('looks at once, and again when the time to live is over, within its bounds', async () => {
    const { pool, dns } = discovering([at('10.0.0.1')])
    await pass(0)
    expect(pool.backends.map(view => view.backend.url.href)).toEqual(['http://10.0.0.1/'])
    await pass(999)
    expect(dns.asked).toBe(1)
    dns.found = { backends: [at('10.0.0.1')], ttlMs: 0 }
    await pass(1)
    expect(dns.asked).toBe(2)
    dns.found = { backends: [at('10.0.0.1')], ttlMs: 3_600_000 }
    await pass(1_000)
    expect(dns.asked).toBe(3)
    await pass(59_999)
    expect(dns.asked).toBe(3)
    await pass(1)
    expect(dns.asked).toBe(4)
  })

  it('applies the differences, and nothing else', async () => {
    const { pool, dns } = discovering([at('10.0.0.2'), at('10.0.0.1')])
    await pass(0)
    const [one, two] = pool.backends
    pool.setState('10_0_0_1-80', 'drain')
    pool.setWeight('10_0_0_2-80', 7)
    pool.setHealthy('10_0_0_2-80', false)
    let changes = 0
    pool.watch(() => (changes += 1))
    dns.found = { backends: [at('10.0.0.1'), at('10.0.0.2')], ttlMs: 1_000 }
    await pass(1_000)
    expect(changes).toBe(0)
    dns.found = { backends: [at('10.0.0.3'), at('10.0.0.2'), at('10.0.0.1')], ttlMs: 1_000 }
    await pass(1_000)
    expect(changes).toBe(1)
    expect(pool.backends.slice(0, 2)).toEqual([one, two])
    expect(pool.find('10_0_0_1-80')).toMatchObject({ state: 'drain' })
    expect(pool.find('10_0_0_2-80')).toMatchObject({ weight: 7, healthy: false })
    dns.found = { backends: [at('10.0.0.3')], ttlMs: 1_000 }
    await pass(1_000)
    expect(pool.backends.map(view => view.backend.id)).toEqual(['10_0_0_3-80'])
  })

  it('follows weights and priorities, and makes of another address another', async () => {
    const host = 'web-0.app'
    const { pool, dns } = discovering([at('10.0.0.1', { host, weight: 3 })])
    await pass(0)
    const before = pool.find('web-0_app-80')
    dns.found = { backends: [at('10.0.0.1', { host, weight: 5, backup: true })], ttlMs: 1_000 }
    await pass(1_000)
    expect(pool.find('web-0_app-80')).toBe(before)
    expect(before).toMatchObject({ weight: 5, backup: true })
    dns.found = { backends: [at('10.0.0.9', { host, weight: 5, backup: true })], ttlMs: 1_000 }
    await pass(1_000)
    const after = pool.find('web-0_app-80')
    expect(after).not.toBe(before)
    expect(after?.backend.url.host).toBe('10.0.0.9')
  })

  it('keeps its backends when a lookup fails, and tries again, later each time', async () => {
    const found = new Error('SERVFAIL')
    const { pool, dns } = discovering([at('10.0.0.1')])
    const failures: object[] = []
    const note = (event: unknown): void => void failures.push(event as object)
    subscribe('limpet:discovery-failed', note)
    onTestFinished(() => void unsubscribe('limpet:discovery-failed', note))
    await pass(0)
    dns.found = found
    await pass(1_000)
    expect(pool.backends).toHaveLength(1)
    expect(failures).toEqual([{ pool: 'p', name: 'app.internal', error: found }])
    await pass(1_000 + 2_000 + 4_000)
    expect(dns.asked).toBe(5)
    await pass(600_000)
    expect(dns.asked).toBeLessThan(20)
    expect(pool.backends).toHaveLength(1)
  })

  it('leaves configured backends and those of operators alone', async () => {
    const pool = new LivePool('p', [{ id: '10_0_0_1-80', url: 'http://configured.test' }])
    const { dns } = discovering([at('10.0.0.1'), at('10.0.0.2')], pool)
    await pass(0)
    expect(pool.find('10_0_0_1-80')?.backend.url.host).toBe('configured.test')
    pool.remove('10_0_0_2-80')
    pool.add({ id: '10_0_0_2-80', url: 'http://operator.test' })
    dns.found = { backends: [], ttlMs: 1_000 }
    await pass(1_000)
    expect(pool.backends.map(view => view.backend.url.host)).toEqual(['configured.test', 'operator.test'])
  })

  it('applies a reply as one change: a waiting request chooses among all backends', async () => {
    const { pool, dns } = discovering([at('10.0.0.1'), at('10.0.0.2'), at('10.0.0.3')])
    const seen: string[][] = []
    const place = pool.queue.enter(
      undefined,
      () => {
        seen.push(pool.candidates.map(view => view.backend.url.hostname))
        return false
      },
      60_000,
      () => undefined,
    )
    let changes = 0
    pool.watch(() => (changes += 1))
    await pass(0)
    expect(seen).toEqual([['10.0.0.1', '10.0.0.2', '10.0.0.3']])
    dns.found = { backends: [at('10.0.0.4'), at('10.0.0.1', { backup: true })], ttlMs: 1_000 }
    await pass(1_000)
    expect(seen.slice(1)).toEqual([['10.0.0.4']])
    expect(changes).toBe(2)
    place.leave()
  })

  it('keeps an operator’s settings of members that stay when others join and leave', async () => {
    const pool = new LivePool('p', [{ id: 'own', url: 'http://own.test', state: 'maint', maxInFlight: 3 }])
    const { dns } = discovering([at('10.0.0.1')], pool)
    await pass(0)
    const own = pool.find('own')
    const drain = pool.drain('10_0_0_1-80', { deadline: '1h' })
    pool.hold(pool.find('10_0_0_1-80') ?? pool.add({ id: 'none', url: 'http://none.test' }))
    dns.found = { backends: [at('10.0.0.1'), at('10.0.0.2')], ttlMs: 1_000 }
    await pass(1_000)
    expect(pool.find('own')).toBe(own)
    expect(own).toMatchObject({ state: 'maint', maxInFlight: 3 })
    expect(pool.find('10_0_0_1-80')).toMatchObject({ state: 'drain', inFlight: 1 })
    pool.setState('10_0_0_1-80', 'ready')
    expect(await drain.drained).toMatchObject({ outcome: 'cancelled' })
  })

  it('brings back a backend that an operator removed, and keeps one in maintenance', async () => {
    const { pool } = discovering([at('10.0.0.1'), at('10.0.0.2')])
    await pass(0)
    pool.remove('10_0_0_1-80')
    pool.setState('10_0_0_2-80', 'maint')
    await pass(1_000)
    expect(pool.find('10_0_0_1-80')).toMatchObject({ state: 'ready' })
    expect(pool.find('10_0_0_2-80')).toMatchObject({ state: 'maint' })
  })

  it.each(['limpet:members-changed', 'limpet:discovery-failed'])(
    'ends when it is closed by who hears of %s',
    async channel => {
      const { pool, dns, discovery } = discovering([])
      await pass(0)
      dns.found =
        channel === 'limpet:members-changed'
          ? { backends: [at('10.0.0.1')], ttlMs: 1_000 }
          : new Error('SERVFAIL')
      const close = (): void => discovery.close()
      subscribe(channel, close)
      onTestFinished(() => void unsubscribe(channel, close))
      await pass(1_000)
      expect(vi.getTimerCount()).toBe(0)
      await pass(100_000)
      expect(dns.asked).toBe(2)
      expect(pool.backends.length).toBeLessThan(2)
    },
  )

  it('continues in a pool that takes over: it owns discovered backends, and not configured ones', async () => {
    const before = discovering([at('10.0.0.1'), at('10.0.0.2')])
    await pass(0)
    before.pool.add({ id: 'own', url: 'http://own.test' })
    before.discovery.close()
    const pool = new LivePool('p', [])
    pool.takeOver(before.pool)
    expect(pool.backends).toHaveLength(3)
    discovering([at('10.0.0.2'), at('10.0.0.3')], pool)
    await pass(0)
    expect(pool.backends.map(({ backend }) => backend.url.hostname).toSorted()).toEqual([
      '10.0.0.2',
      '10.0.0.3',
      'own.test',
    ])
  })

  it('ends when it is closed, in the middle of a look-up too', async () => {
    const { pool, dns, discovery } = discovering([at('10.0.0.1')])
    discovery.close()
    await pass(100_000)
    expect(dns.asked).toBe(1)
    expect(pool.backends).toEqual([])
  })

  it('comes to the same in whatever order an answer is', async () => {
    const hosts = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        hosts.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        async ([one, other]) => {
          const { pool, dns } = discovering(one.map(address => at(address)))
          await pass(0)
          const before = pool.backends
          dns.found = { backends: other.map(address => at(address)), ttlMs: 1_000 }
          await pass(1_000)
          expect(pool.backends).toBe(before)
          const again = discovering(other.map(address => at(address)))
          await pass(0)
          expect(again.pool.backends.map(view => view.backend.id)).toEqual(
            before.map(view => view.backend.id),
          )
        },
      ),
      { numRuns: 30 },
    )
  })
})
