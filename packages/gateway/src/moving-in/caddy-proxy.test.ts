import { expect, it } from 'vitest'
import { moved } from './moved.fixture.ts'

/** The pool of a `reverse_proxy` with these lines in its block. */
function poolOf(upstreams: string, ...lines: readonly string[]) {
  const block = lines.map(line => `    ${line}\n`).join('')
  const { file, lost, changed } = moved('caddy', `:80 {\n  reverse_proxy ${upstreams} {\n${block}  }\n}\n`)
  return { pool: file.pools.web, lost, changed }
}

it('takes upstreams wherever they stand, with the weights and the TLS of other lines', () => {
  for (const to of [0, 1, 2]) {
    const lines = ['lb_policy weighted_round_robin 3 1', 'transport http {\ntls\n}']
    const { pool, lost } = poolOf('', ...lines.toSpliced(to, 0, 'to a:1 b:2'))
    expect([pool, lost]).toEqual([
      {
        backends: [
          { id: 'a-1', url: 'https://a:1', weight: 3 },
          { id: 'b-2', url: 'https://b:2', weight: 1 },
        ],
        balance: 'round-robin',
      },
      [],
    ])
  }
})

it.each<[string, readonly string[], object, readonly string[]]>([
  ['checks', ['health_uri /up', 'health_interval 5s'], { health: { path: '/up', interval: '5s' } }, []],
  ['no checks without a path', ['health_interval 5s'], {}, []],
  ['outlier detection', ['fail_duration 5s', 'max_fails 3'], { passive: { fall: 3, retryAfter: '5s' } }, []],
  ['no outlier detection without a time', ['max_fails 3'], {}, []],
  ['a limit', ['unhealthy_request_count 3'], { maxInFlight: 3 }, []],
  ['retries', ['lb_retries 2'], { maxAttempts: 3 }, []],
  ['the Host', ['header_up Host {upstream_hostport}'], { host: 'backend' }, []],
  [
    'fields',
    ['header_up X-A 1', 'header_down -Server'],
    {
      requestHeaders: { set: { 'X-A': '1' } },
      responseHeaders: { remove: ['Server'] },
    },
    [],
  ],
  ['a lookup', ['dynamic a app.internal 80'], { discovery: { dns: 'app.internal:80' } }, []],
  ['no secret', ['header_up X-Token hush'], {}, ['3 header_up X-Token']],
  ['no part of a field', ['header_up X-A a b'], {}, ['3 header_up X-A']],
  ['no other transport', ['transport fastcgi'], {}, ['3 transport fastcgi']],
  ['no unknown option', ['copy_response'], {}, ['3 copy_response']],
])('takes %s', (_, lines, facts, lost) => {
  const found = poolOf('a:1', ...lines)
  expect([found.pool, found.lost]).toMatchObject([facts, lost])
  expect(Object.keys(found.pool)).toHaveLength(2 + Object.keys(facts).length)
})

it('takes sockets and short addresses, and reports an upstream that it cannot reach', () => {
  const { pool, lost } = poolOf('unix//run/app.sock :3000 h2c://a:1 {env.HOST}:80')
  expect(pool.backends.map(({ url }: { url: string }) => url)).toEqual([
    'unix:/run/app.sock',
    'http://localhost:3000',
  ])
  expect(lost).toEqual(['2 reverse_proxy h2c://a:1', '2 reverse_proxy {env.HOST}:80'])
})
