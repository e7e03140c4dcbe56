import { describe, expect, it, onTestFinished } from 'vitest'
import { problemsOf, SECRET, web } from './config-file.fixture.ts'

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
      [
        expect.stringMatching(
          /^secrets\[0\] the environment has no LIMPET_NOT_THERE; make one with: node -p "/,
        ),
      ],
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
        expect.stringMatching(/^secrets\[0\] the file \S*ca\.pem is empty; make one with: /),
        expect.stringMatching(
          /^secrets\[1\] the environment has only blanks in LIMPET_TEST_BLANK; make one /,
        ),
        expect.stringMatching(/^pools\.web\.balance\.seed the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^pools\.web\.tls\.ca the file \S*ca\.pem is empty$/),
        expect.stringMatching(/^admin\.token the file \S*ca\.pem is empty; make one with: /),
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
})
