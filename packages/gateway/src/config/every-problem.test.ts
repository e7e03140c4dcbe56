import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ConfigError } from './config.ts'
import { parseConfig } from './config-file.ts'

const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

/** A good file, to be spoilt. */
const GOOD = {
  listen: '127.0.0.1:8080',
  secrets: [SECRET, `another-${SECRET}`] as unknown[],
  trustProxy: ['127.0.0.1', '10.0.0.0/8'] as unknown[],
  limits: { headers: '16KiB', keepAlive: '75s' } as Record<string, unknown>,
  log: { level: 'info' } as Record<string, unknown>,
  routes: [{ path: '/api/', pool: 'api' }, { pool: 'web' }] as Record<string, unknown>[],
  pools: {
    web: {
      backends: [
        { id: 'a', url: 'http://127.0.0.1:1' },
        { id: 'b', url: 'http://127.0.0.1:2' },
      ] as Record<string, unknown>[],
      affinity: [{ cookie: { maxIdle: '30m' } }, { learn: { cookie: 'sid' } }] as Record<
        string,
        Record<string, unknown>
      >[],
      balance: 'first' as unknown,
      health: { interval: '5s', timeout: '2s' } as Record<string, unknown>,
      timeouts: {} as Record<string, unknown>,
      requestHeaders: { set: {} as Record<string, unknown>, remove: [] as string[] },
      responseHeaders: { set: {} as Record<string, unknown>, remove: [] as string[] },
    },
    api: { backends: [{ id: 'c', url: 'http://127.0.0.1:3' }] as Record<string, unknown>[] },
  },
  admin: { listen: '127.0.0.1:8404' },
}

type Spoil = readonly [path: string, spoil: (file: typeof GOOD) => unknown]

/** Mistakes of every kind, that have nothing to do with each other. */
const SPOILS: readonly Spoil[] = [
  ['listen', file => (file.listen = '127.0.0.1:80800')],
  ['secrets[0]', file => (file.secrets[0] = 'short')],
  ['secrets[1]', file => (file.secrets[1] = 'env:LIMPET_NOT_THERE')],
  ['trustProxy[0]', file => (file.trustProxy[0] = 'here')],
  ['trustProxy[1]', file => (file.trustProxy[1] = '10.0.0.0/99')],
  ['limits.headers', file => (file.limits['headers'] = '16KB')],
  ['limits.headersTimeout', file => (file.limits['headersTimeout'] = '30d')],
  ['limits.sendTimeout', file => (file.limits['sendTimeout'] = '999999999999d')],
  ['preStop', file => Object.assign(file, { preStop: '600h' })],
  ['shutdownGrace', file => Object.assign(file, { shutdownGrace: '25d' })],
  ['limits.keepAlife', file => (file.limits['keepAlife'] = '1s')],
  ['log.level', file => (file.log['level'] = 'loud')],
  ['routes[0].path', file => Object.assign(file.routes[0] ?? {}, { path: 'api' })],
  ['routes[1].pool', file => Object.assign(file.routes[1] ?? {}, { pool: 'wbe' })],
  ['pools.web.backends[0].url', file => Object.assign(file.pools.web.backends[0] ?? {}, { url: 'here' })],
  ['pools.web.backends[1].id', file => Object.assign(file.pools.web.backends[1] ?? {}, { id: 'a' })],
  ['pools.web.backends[1].weight', file => Object.assign(file.pools.web.backends[1] ?? {}, { weight: 300 })],
  [
    'pools.web.affinity[0].cookie.maxIdle',
    file => Object.assign(file.pools.web.affinity[0]?.['cookie'] ?? {}, { maxIdle: '1000d' }),
  ],
  [
    'pools.web.affinity[0].cookie.name',
    file => Object.assign(file.pools.web.affinity[0]?.['cookie'] ?? {}, { name: 'a b' }),
  ],
  [
    'pools.web.affinity[1].learn',
    file => (file.pools.web.affinity[1] = { learn: { cookie: 'a', header: 'b' } }),
  ],
  ['pools.web.balance.hash', file => (file.pools.web.balance = { hash: 'heder:X' })],
  ['pools.web.health.interval', file => (file.pools.web.health['interval'] = '1ms')],
  ['pools.web.health.fall', file => (file.pools.web.health['fall'] = 0)],
  ['pools.web.timeouts.connect', file => (file.pools.web.timeouts['connect'] = '90d')],
  [
    'pools.web.requestHeaders.set.(a key of 3 characters)',
    file => (file.pools.web.requestHeaders.set['A B'] = 'c'),
  ],
  ['pools.web.requestHeaders.set.X-A', file => (file.pools.web.requestHeaders.set['X-A'] = 'b\nc')],
  ['pools.web.requestHeaders.remove[0]', file => file.pools.web.requestHeaders.remove.push('Upgrade')],
  ['pools.web.responseHeaders.set.X-A', file => (file.pools.web.responseHeaders.set['X-A'] = '${user}')],
  [
    'pools.web.responseHeaders.set.(a key of 3 characters)',
    file => (file.pools.web.responseHeaders.set['A B'] = 'c'),
  ],
  ['pools.web.responseHeaders.remove[0]', file => file.pools.web.responseHeaders.remove.push('Connection')],
  ['pools.api.backends[0].url', file => Object.assign(file.pools.api.backends[0] ?? {}, { url: 'ftp://x' })],
  ['pools.api.maxAtempts', file => Object.assign(file.pools.api, { maxAtempts: 2 })],
  ['pools.api.tls.ca', file => Object.assign(file.pools.api, { tls: { ca: 'not-there.pem' } })],
  ['admin.token', file => (file.admin.listen = '0.0.0.0:8404')],
]

function pathsOf(spoils: readonly Spoil[]): readonly string[] {
  const file = structuredClone(GOOD)
  for (const [, spoil] of spoils) spoil(file)
  const text = JSON.stringify(file)
  try {
    parseConfig({ file: '/nowhere/limpet.json', text, adapter: undefined, kept: undefined })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path }) => path)
  }
}

it('each mistake in a file is named, and nothing else, whatever others there are', () => {
  expect(pathsOf([])).toEqual([])
  for (const spoil of SPOILS) expect(pathsOf([spoil])).toEqual([spoil[0]])
  fc.assert(
    fc.property(fc.subarray([...SPOILS]), spoils => {
      expect(pathsOf(spoils).toSorted()).toEqual(spoils.map(([path]) => path).toSorted())
    }),
    { numRuns: 100 },
  )
})
