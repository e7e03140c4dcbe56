import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { startDiscovery } from './discovery.ts'
import { parseDiscovery } from './discovery-options.ts'
import type { Found } from './lookup.ts'
import { lookupSource } from './lookup-source.ts'
import { backendOptions, type ResolvedBackend, serviceBackends } from './resolved-backend.ts'

function at(address: string, more: Partial<ResolvedBackend> = {}): ResolvedBackend {
  return { host: address, address, port: 80, weight: 1, backup: false, ...more }
}

function discovering(first: readonly ResolvedBackend[], pool = new LivePool('p', [])) {
  const settings = parseDiscovery('discovery', { dns: 'app.internal:80', refresh: '1m' })
  if (settings === undefined) throw new Error('no settings')
  const dns = { found: { backends: first, ttlMs: 1_000 } as Found | Error, asked: 0 }
  const source = lookupSource(settings, () => ({
    async find() {
      dns.asked += 1
      if (dns.found instanceof Error) throw dns.found
      return dns.found
    },
    close() {},
  }))
  const discovery = startDiscovery(pool, source)
  closers.push(() => discovery.close())
  return { pool, dns, discovery }
}

const closers: (() => void)[] = []
const pass = async (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  return () => void vi.useRealTimers()
})
afterEach(() => {
  for (const close of closers.splice(0)) close()
  expect(vi.getTimerCount()).toBe(0)
})

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

describe('the id of a discovered backend', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7', '10_0_0_7-80', 'http://10.0.0.7:80'],
    ['fd00::7', 'fd00::7', 'fd00__7-80', 'http://[fd00::7]:80'],
    ['Web-0.App.SVC', '10.0.0.7', 'web-0_app_svc-80', 'http://10.0.0.7:80'],
    ['app_web_1', '10.0.0.7', 'app_web_1-ffb6738d53854618-80', 'http://10.0.0.7:80'],
  ])('of %s at %s is %s', (host, address, id, url) => {
    expect(backendOptions('http', at(address, { host }))).toMatchObject({ id, url })
  })

  it('is one of its own, whatever the name, and one that a pool takes', () => {
    const label = fc.oneof(fc.stringMatching(/^[ab_-]{1,2}$/), fc.stringMatching(/^[a-z0-9_-]{1,40}$/))
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'))
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.integer({ min: 1, max: 65_535 })), { selector: String }),
        hosts => {
          const pool = new LivePool('p', [])
          for (const [host, port] of hosts) pool.add(backendOptions('http', at('10.0.0.1', { host, port })))
          expect(pool.backends).toHaveLength(hosts.length)
        },
      ),
    )
  })
})

describe('the weights of SRV records', () => {
  const services = (...records: [weight: number, priority: number][]) =>
    serviceBackends(
      records.map(([weight, priority], index) => ({
        record: { name: `h${index}.`, port: 80, weight, priority },
        addresses: [{ address: `10.0.0.${index}` }],
      })),
    )

  it.each([
    [
      [0, 0],
      [1, 1],
    ],
    [
      [0, 10],
      [1, 10],
    ],
    [
      [1, 3],
      [1, 3],
    ],
    [
      [100, 50],
      [100, 50],
    ],
    [
      [65_535, 32_768, 1],
      [256, 128, 1],
    ],
  ])('%j come to %j', (given, expected) => {
    expect(
      services(...given.map((weight): [number, number] => [weight, 0])).map(({ weight }) => weight),
    ).toEqual(expected)
  })

  it('the least priority is primary, and the rest are backups', () => {
    expect(services([1, 20], [1, 10], [1, 30], [1, 10]).map(({ backup }) => backup)).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it.each<[string, [number, number][], number[]]>([
    [
      'backups do not count among primaries',
      [
        [1, 10],
        [2, 10],
        [65_535, 20],
      ],
      [1, 2, 256],
    ],
    [
      'nor primaries among backups',
      [
        [65_535, 10],
        [30, 20],
        [60, 30],
      ],
      [256, 30, 60],
    ],
  ])('%s', (_what, given, expected) => {
    expect(services(...given).map(({ weight }) => weight)).toEqual(expected)
  })

  it('a target that stands twice is one backend, the same in whatever order', async () => {
    const record = { name: 'h', port: 80, weight: 5, priority: 10 }
    const addresses = [{ address: '10.0.0.1' }]
    const told = [
      { record, addresses },
      { record: { ...record, weight: 3 }, addresses },
      { record: { ...record, weight: 9, priority: 20 }, addresses },
    ]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const { pool } = discovering(serviceBackends(order.flatMap(index => told[index] ?? [])))
      await pass(0)
      expect(pool.backends).toMatchObject([{ weight: 5, backup: false }])
    }
  })

  it('an address that stands twice is one', () => {
    const record = { name: 'h', port: 80, weight: 1, priority: 0 }
    const found = serviceBackends([{ record, addresses: [{ address: '10.0.0.1' }, { address: '10.0.0.1' }] }])
    expect(found.map(({ host }) => host)).toEqual(['h'])
  })

  it('a target of several addresses is several backends', () => {
    const record = { name: 'h', port: 80, weight: 1, priority: 0 }
    const found = serviceBackends([{ record, addresses: [{ address: '10.0.0.1' }, { address: '10.0.0.2' }] }])
    expect(found.map(({ host }) => host)).toEqual(['h.10.0.0.1', 'h.10.0.0.2'])
  })
})

describe('the options of discovery', () => {
  it.each<[object, string]>([
    [{ dns: 'app.internal' }, 'discovery.dns'],
    [{ dns: 'app.internal:0' }, 'discovery.dns'],
    [{ dns: 'app.internal:70000' }, 'discovery.dns'],
    [{ dns: 'a b:80' }, 'discovery.dns'],
    [{ dns: '10.0.0.1:80' }, 'discovery.dns'],
    [{ dns: ['app:80'] }, 'discovery.dns'],
    [{ dns: '_http._tcp.app:80', type: 'SRV' }, 'discovery.dns'],
    [{ dns: 'app:80', type: 'MX' }, 'discovery.type'],
    [{ dns: 'app:80', refresh: 999 }, 'discovery.refresh'],
    [{ dns: 'app:80', protocol: 'ftp' }, 'discovery.protocol'],
    [{ dns: 'app:80', servers: [] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['dns.internal'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['10.0.0.2:0'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['[::1]:00'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['10.0.0.2:65536'] }, 'discovery.servers'],
    [{ dns: 'app:80', server: ['10.0.0.1'] }, 'discovery.server'],
  ])('%j is refused', (options, option) => {
    expect(() => parseDiscovery('discovery', options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }) as Error,
    )
  })

  it.each([['10.0.0.2'], ['127.0.0.1:5353'], ['::1'], ['[::1]:5353']])('the server %s is taken', server => {
    expect(parseDiscovery('discovery', { dns: 'app:80', servers: [server] })?.servers).toEqual([server])
  })
})
