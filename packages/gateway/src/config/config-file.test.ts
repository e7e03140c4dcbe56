import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, type GatewayConfig } from './config.ts'
import { parseConfig } from './config-file.ts'
import { readSource } from './config-source.ts'

const CERT = readFileSync(new URL('../../../../test/support/tls/certificate.pem', import.meta.url), 'utf8')
const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

/** A file with this in it, beside others. */
function fileOf(content: string | object, others: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(others)) writeFileSync(join(folder, name), text)
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function read(content: string | object, others?: Readonly<Record<string, string>>): GatewayConfig {
  return parseConfig(readSource(fileOf(content, others)))
}

/** The problems of a file, a line each. */
function problemsOf(content: string | object, others?: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(content, others)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const web = { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] }

const NO_HOSTS = [
  'a.test:80',
  'https://a.test',
  '.a.test',
  'a_b.test',
  '*',
  'a.*.test',
  '*a.test',
  '/^a/',
  'a.test.',
  'b\u00fccher.test',
]
const NO_PATHS = ['/a/../b', '//a', '/a?b', '/a;b', '/%2e', '/\uD800']

describe('a file', () => {
  it('needs a pool and its backends, and nothing else', () => {
    expect(
      read('pools:\n  web:\n    backends:\n      - { id: a, url: "http://127.0.0.1:9001" }\n'),
    ).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080, tls: undefined },
      adapter: 'fastify',
      shutdownGraceMs: 10_000,
      limits: { maxHeaderSize: 16_384, headersTimeoutMs: 10_000, requestTimeoutMs: 0, keepAliveMs: 75_000 },
      log: { access: true, sample: 1, level: 'info' },
      routes: [{ host: undefined, path: '/', pool: 'web' }],
      pools: [{ name: 'web' }],
      admin: undefined,
      warnings: [],
    })
  })

  it('takes a path as it is read, and compares it as browsers send it', () => {
    expect(
      read({ pools: { web }, routes: [{ pool: 'web' }, { path: '/caf\u00E9/', pool: 'web' }] }),
    ).toMatchObject({
      routes: [{ path: '/' }, { path: '/caf%C3%A9/' }],
    })
  })

  it('says all that is wrong with it, and where, in words', () => {
    expect(
      problemsOf({
        lisen: 1,
        listen: 'x',
        routes: [{ path: 'api', pool: 'web' }],
        pools: {
          'a b': web,
          web: {
            backends: [{ idd: 'a', url: 3 }],
            affinity: [{ cookie: { maxIdle: 'x', nam: 1 } }, {}, { cookie: {}, prefix: { cookie: 'a' } }],
            balance: { hsh: 'ip' },
            slowStart: '3x',
            whenFull: 'overflo',
            maxAttempts: 0,
            health: { expect: [700] },
          },
        },
      }).map(line => line.replace(/; known are .*/, '')),
    ).toMatchInlineSnapshot(`
      [
        "lisen is not known (did you mean listen?)",
        "listen got a text of 1 character; it takes an address and a port, as 127.0.0.1:8080",
        "routes[0].path got a text of 3 characters; it takes a path that begins with /, without ?, #, ;, \\, // and the segments . and ..",
        "pools.(a key of 3 characters) has a wrong name; it takes names of 1 to 64 of the characters A-Z a-z 0-9 _ -",
        "pools.web.backends[0].idd is not known (did you mean id?)",
        "pools.web.backends[0].id is missing; it takes 1 to 64 of the characters A-Z a-z 0-9 _ -",
        "pools.web.backends[0].url got 3; it takes http://host:port, https://host:port or unix:/path/to.sock, with a base path or without, and without query or credentials",
        "pools.web.affinity[0].cookie.nam is not known (did you mean name?)",
        "pools.web.affinity[0].cookie.maxIdle got a text of 1 character; it takes a duration, as 250ms, 5s, 30m, 8h or 7d",
        "pools.web.affinity[1] got an object; it takes an object with cookie or learn or prefix or route",
        "pools.web.affinity[2].prefix cannot be combined with cookie; it takes one of cookie, learn, prefix, route",
        "pools.web.balance.hsh is not known (did you mean hash?)",
        "pools.web.balance.hash is missing; it takes "ip", "path", "header:NAME", "query:NAME", "cookie:NAME" or "path-parameter:NAME", or a list of these",
        "pools.web.maxAttempts got 0; it takes a whole number from 1 to 100",
        "pools.web.slowStart got "3x"; it takes a duration, as 250ms, 5s, 30m, 8h or 7d",
        "pools.web.whenFull got "overflo" (did you mean overflow?); it takes one of overflow, wait, reject",
        "pools.web.health.expect[0] got 700; it takes a status from 200 to 599, one of 2xx, 3xx, 4xx, 5xx, or a list of these",
      ]
    `)
  })

  it.each<[string, string | object, readonly unknown[]]>([
    ['is not there', '', ['the file is empty; it takes at least pools']],
    [
      'is no YAML',
      'a: [1\nb: 2',
      ['line 2, column 1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['says a thing twice', 'pools: {}\npools: {}', ['line 2, column 1: Map keys must be unique']],
    ['is a list', '[]', ['got a list of 0; it takes an object with pools at least']],
    ['is a text', 'hello', ['got a text of 5 characters; it takes an object with pools at least']],
    ['has no pool', { pools: {} }, ['pools is empty; it takes one at least']],
    [
      'has two pools and no routes',
      { pools: { a: web, b: web } },
      ['routes is missing; with several pools it says which requests a pool gets'],
    ],
    [
      'has routes to an unknown pool, and a duplicate',
      { pools: { web }, routes: [{ pool: 'web' }, { path: '/', pool: 'wbe' }] },
      [
        'routes[1] is there already: no two routes are of one host and path',
        'routes[1].pool got "wbe" (did you mean web?); it takes one of web',
      ],
    ],
    [
      'has routes of hosts that no client can ask for',
      { pools: { web }, routes: NO_HOSTS.map(host => ({ host, pool: 'web' })) },
      NO_HOSTS.map((_, index) => expect.stringContaining(`routes[${index}].host got a text`) as string),
    ],
    [
      'has routes of paths that no request has',
      { pools: { web }, routes: NO_PATHS.map(path => ({ path, pool: 'web' })) },
      NO_PATHS.map((_, index) => expect.stringContaining(`routes[${index}].path got a text`) as string),
    ],
    [
      'has a port that is none',
      { listen: '127.0.0.1:70000', pools: { web } },
      ['listen got the port 70000; it takes at most 65535'],
    ],
    [
      'has no backends',
      { pools: { web: {} } },
      ['pools.web.backends is missing; it takes a list of { id, url }'],
    ],
    [
      'has an id twice',
      { pools: { web: { backends: [...web.backends, ...web.backends] } } },
      [
        'pools.web.backends[1].id got a text of 1 character; it takes an id that no other backend of the pool has',
      ],
    ],
    [
      'has a url with a query',
      { pools: { web: { backends: [{ id: 'a', url: 'http://a/?b' }] } } },
      [
        'pools.web.backends[0].url got a text of 11 characters; it takes http://host:port, https://host:port or unix:/path/to.sock, with a base path or without, and without query or credentials',
      ],
    ],
    [
      'has a secret that is too short, said once for all pools',
      {
        secrets: ['short'],
        routes: [{ pool: 'a' }],
        pools: { a: { ...web, affinity: [{ cookie: {} }] }, b: { ...web, affinity: [{ cookie: {} }] } },
      },
      [expect.stringMatching(/^secrets\[0\] .*32 bytes/)],
    ],
    [
      'has a secret elsewhere that is not there',
      { secrets: ['env:LIMPET_NOT_THERE'], pools: { web } },
      ['secrets[0] the environment has no LIMPET_NOT_THERE'],
    ],
    [
      'wants HTTP/2 without TLS',
      { listen: { port: 1, http2: true }, pools: { web } },
      ['listen.http2 needs listen.tls'],
    ],
    [
      'wants HTTP/2 where there is none',
      { adapter: 'koa', listen: { port: 1, http2: true, tls: { cert: 'pem', key: 'pem' } }, pools: { web } },
      [
        'listen.http2 needs the adapter fastify; koa has no HTTP/2',
        expect.stringMatching(/^listen\.tls\.cert /),
        expect.stringMatching(/^listen\.tls\.key /),
      ],
    ],
    [
      'opens its admin port to all addresses',
      { pools: { web }, admin: { listen: '0.0.0.0:8404' } },
      ['admin.token is missing; 0.0.0.0 is no loopback address'],
    ],
    [
      'has times that no timer can count, and sizes that no server takes',
      {
        preStop: '25d',
        limits: { headers: '999999999999GiB', keepAlive: '999999999999.5d' },
        pools: { web: { ...web, waitForBackend: '600h' } },
      },
      [
        expect.stringMatching(/^preStop .*at most 24d/),
        'limits.headers got a text of 15 characters; it takes a size from 1KiB to 16MiB',
        expect.stringMatching(/^limits\.keepAlive .*at most 24d/),
        expect.stringMatching(/^pools\.web\.waitForBackend .*at most 24d/),
      ],
    ],
    [
      'has numbers for times, which are milliseconds to some and seconds to others',
      { preStop: 0, shutdownGrace: 10, pools: { web: { ...web, timeouts: { connect: 5, idle: 0.5 } } } },
      [
        'shutdownGrace got 10, a number without a unit; it takes a duration, as 250ms, 5s, 30m, 8h or 7d',
        'pools.web.timeouts.connect got 5, a number without a unit; it takes a duration, as 250ms, 5s, 30m, 8h or 7d',
        'pools.web.timeouts.idle got 0.5, a number without a unit; it takes a duration, as 250ms, 5s, 30m, 8h or 7d',
      ],
    ],
    [
      'has words that are none',
      {
        workers: 'two',
        log: { level: 'warning' },
        routes: [{ pool: 'webb' }],
        pools: {
          web: {
            ...web,
            balance: 'round-robbin',
            affinity: [{ kookie: {} }, 'cookie', { cookie: { sameSite: 'Lax', accept: ['traefic'] } }],
          },
          api: { ...web, balance: 'source', affinity: [{ cookie: { secure: 'yes' } }] },
        },
      },
      [
        'workers got a text of 3 characters; it takes a whole number from 1 to 1024, or auto',
        'log.level got a text of 7 characters; it takes one of debug, info, warn, error, silent',
        'pools.web.affinity[0].kookie is not known (did you mean cookie?); known are cookie, learn, prefix, route',
        'pools.web.affinity[1] got a text of 6 characters; it takes an object with cookie or learn or prefix or route',
        'pools.web.affinity[2].cookie.sameSite got "Lax" (did you mean lax?); it takes one of lax, strict, none, omit',
        'pools.web.affinity[2].cookie.accept[0] got "traefic" (did you mean traefik?); it takes one of raw, haproxy, nginx, traefik, envoy, yarp, arr, f5, or an object with haproxy or caddy or ingressNginx',
        'pools.web.balance got "round-robbin" (did you mean round-robin?); it takes one of round-robin, least-requests, random-two, random, first, or an object with hash',
        'pools.api.affinity[0].cookie.secure got a text of 3 characters; it takes one of auto, true, false',
        'pools.api.balance got a text of 6 characters; it takes one of round-robin, least-requests, random-two, random, first, or an object with hash',
        'routes[0].pool got "webb" (did you mean web?); it takes one of web, api',
      ],
    ],
    [
      'trusts a file without a certificate',
      { pools: { web: { ...web, tls: { ca: 'junk.pem' } } } },
      [
        'pools.web.tls.ca has no certificate in it; it takes PEM text with at least one certificate, or a list of it',
      ],
    ],
    [
      'allows backends that are none',
      { pools: { web }, admin: { allowBackends: ['10.0.0.0/8', '10.0.0.0/33', 'http://a'] } },
      [
        expect.stringMatching(/^admin\.allowBackends\[1\] got a text of 11 characters; it takes an address/),
        expect.stringMatching(/^admin\.allowBackends\[2\] /),
      ],
    ],
    [
      'has headers of no size',
      { limits: { headers: 0 }, pools: { web } },
      ['limits.headers got 0; it takes a size from 1KiB to 16MiB'],
    ],
    [
      'has references to empty values',
      {
        listen: { port: 1, tls: { cert: 'ca.pem', key: 'ca.pem' } },
        secrets: ['file:ca.pem', 'env:LIMPET_TEST_BLANK'],
        pools: { web: { ...web, balance: { hash: 'ip', seed: 'file:ca.pem' }, tls: { ca: 'ca.pem' } } },
        admin: { token: 'file:ca.pem' },
      },
      [
        expect.stringMatching(/^listen\.tls\.cert the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^listen\.tls\.key the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^secrets\[0\] the file \S*ca\.pem is empty$/),
        'secrets[1] the environment has only blanks in LIMPET_TEST_BLANK',
        expect.stringMatching(/^pools\.web\.balance\.seed the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^pools\.web\.tls\.ca the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^admin\.token the file \S*ca\.pem is empty$/),
      ],
    ],
    [
      'has a wrong store, no secrets for it, and a limit of sessions that has no effect',
      {
        secrets: undefined,
        store: { redis: { url: 'http://user:top-secret-1@127.0.0.1' } },
        pools: { web: { ...web, affinity: [{ learn: { cookie: 'sid', maxEntries: 5 } }] } },
      },
      [
        'pools.web.affinity[0].learn.maxEntries is for sessions without a store; it takes store.redis.maxEntries',
        'secrets is missing; gateways that share a store need the same secrets',
        'store.redis.url is no url; it takes redis://host:port, rediss://host:port or unix:/path/to.sock',
      ],
    ],
    [
      'has a store at two places',
      {
        secrets: ['a-secret-of-the-tests-0123456789abcdef'],
        pools: { web },
        store: { redis: { url: 'redis://127.0.0.1', cluster: ['redis://127.0.0.1'] } },
      },
      ['store.redis needs one of url, cluster and sentinel'],
    ],
    [
      'has a wrong address of a node of a Cluster',
      {
        secrets: ['a-secret-of-the-tests-0123456789abcdef'],
        pools: { web },
        store: { redis: { cluster: ['redis://127.0.0.1', 'http://user:top-secret-1@127.0.0.1'] } },
      },
      [
        'store.redis.cluster[1] is no url; it takes redis://host:port, rediss://host:port or unix:/path/to.sock',
      ],
    ],
    [
      'has an empty file of authorities for a store',
      {
        secrets: ['a-secret-of-the-tests-0123456789abcdef'],
        pools: { web },
        store: { redis: { url: 'rediss://127.0.0.1', tls: { ca: 'ca.pem' } } },
      },
      [expect.stringMatching(/^store\.redis\.tls\.ca the file \S*ca\.pem is empty$/)],
    ],
    [
      'wants sameSite none without secure',
      { pools: { web: { ...web, affinity: [{ cookie: { sameSite: 'none' } }] } } },
      [expect.stringMatching(/^pools\.web\.affinity\[0\]\.cookie\.sameSite /)],
    ],
  ])('that %s is refused', (_what, content, problems) => {
    process.env['LIMPET_TEST_BLANK'] = ' '
    onTestFinished(() => void delete process.env['LIMPET_TEST_BLANK'])
    expect(problemsOf(content, { pem: '\n', 'ca.pem': '\n', 'junk.pem': SECRET })).toEqual(problems)
  })

  it('that cannot be read is refused by its name', () => {
    expect(() => readSource('/nowhere/limpet.yaml')).toThrow(
      'the file /nowhere/limpet.yaml cannot be read (ENOENT)',
    )
  })

  it('may keep its secrets elsewhere, and without any it warns', () => {
    process.env['LIMPET_TEST_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_TEST_SECRET'])
    const signed = { web: { ...web, affinity: [{ cookie: {} }] } }
    const kept = read(
      { secrets: ['env:LIMPET_TEST_SECRET', 'file:old'], pools: signed },
      { old: `x${SECRET}\n` },
    )
    expect(kept.pools[0]?.options).toMatchObject({ secrets: [SECRET, `x${SECRET}`] })
    expect(kept.warnings).toEqual([])
    expect(read({ pools: signed }).warnings).toEqual([
      'no secrets: a random one is used, and a restart forgets every session',
    ])
  })

  it('takes the values that another process has read, and reads none anew', () => {
    process.env['LIMPET_TEST_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_TEST_SECRET'])
    const file = fileOf(
      {
        secrets: ['env:LIMPET_TEST_SECRET', 'file:old'],
        pools: { web: { ...web, affinity: [{ cookie: {} }], tls: { ca: 'ca.pem' } } },
      },
      { old: `x${SECRET}\n`, 'ca.pem': CERT },
    )
    const first = parseConfig(readSource(file))
    writeFileSync(join(dirname(file), 'old'), `y${SECRET}\n`)
    writeFileSync(join(dirname(file), 'ca.pem'), '')
    process.env['LIMPET_TEST_SECRET'] = `z${SECRET}`
    const second = parseConfig(first.source)
    expect(second.pools[0]?.options).toMatchObject({
      secrets: [SECRET, `x${SECRET}`],
      tls: { ca: CERT },
    })
    expect(second.source).toEqual(first.source)
    expect(second.pools[0]?.signature).toBe(first.pools[0]?.signature)
    expect(() => parseConfig({ ...first.source, kept: {} })).toThrow('was not read by the process')
  })

  it('warns where the token of the admin port travels in clear', () => {
    const token = 'a-token-of-the-tests-01'
    const warningsOf = (listen: string): readonly string[] =>
      read({ pools: { web }, admin: { listen, token } }).warnings
    expect(warningsOf('10.0.0.1:8404')).toEqual([
      expect.stringMatching(/^admin\.token travels in clear to 10\.0\.0\.1: /),
    ])
    expect(warningsOf('0.0.0.0:8404')).toHaveLength(1)
    for (const listen of ['127.0.0.1:8404', '[::1]:8404', 'localhost:8404'])
      expect(warningsOf(listen)).toEqual([])
  })

  it('has durations and sizes with their units, and a host in brackets', () => {
    expect(
      read({
        listen: '[::1]:0',
        shutdownGrace: '1.5m',
        limits: { headers: '1MiB', headersTimeout: '250ms', connections: 10 },
        pools: { web: { ...web, bodyLimit: '2KiB' } },
      }),
    ).toMatchObject({
      listen: { host: '::1', port: 0 },
      shutdownGraceMs: 90_000,
      limits: { maxHeaderSize: 1_048_576, headersTimeoutMs: 250, connections: 10 },
      pools: [{ options: { bodyLimit: 2048 } }],
    })
  })

  it('knows which pools are another for more than their backends', () => {
    const signatureOf = (pool: object): string | undefined =>
      read({ secrets: [SECRET], pools: { web: { ...web, ...pool } } }).pools[0]?.signature
    expect(signatureOf({ backends: [{ id: 'b', url: 'http://127.0.0.1:2' }] })).toBe(signatureOf({}))
    expect(signatureOf({ maxAttempts: 2 })).not.toBe(signatureOf({}))
    expect(signatureOf({ responseHeaders: { set: { A: 'b' } } })).not.toBe(signatureOf({}))
  })
})

describe('the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

  it('begins with a file that is good', () => {
    process.env['LIMPET_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_SECRET'])
    const [, file = ''] = /```yaml\n(# limpet\.yaml\n[^]*?)```/.exec(readme) ?? []
    expect(read(file).pools.map(({ name }) => name)).toEqual(['web'])
  })
})
