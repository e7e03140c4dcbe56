import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { backendOptions, serviceBackends } from './resolved-backend.ts'
import { at, discovering, pass, useDiscoveryTimers } from './discovering-pool.fixture.ts'

useDiscoveryTimers()

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
