import { expect, it } from 'vitest'
import { moved } from './moved.fixture.ts'

/** The health checks of a backend with these lines, and what is lost of it. */
function checksOf(server: string, ...lines: readonly string[]) {
  const all = [
    'backend app',
    ...lines,
    `server s1 10.0.0.1:80 ${server}`,
    'frontend f',
    'bind :80',
    'default_backend app',
  ]
  const { file, lost, problems } = moved('haproxy', all.join('\n'))
  return { health: file.pools.app.health, lost, problems }
}

it.each([
  ['check', [], { tcp: true, interval: '2s', fall: 3, rise: 2 }],
  [
    'check inter 500 fall 2 rise 1',
    ['timeout check 1s'],
    { tcp: true, interval: '500ms', timeout: '1s', fall: 2, rise: 1 },
  ],
  ['check', ['option httpchk'], { method: 'OPTIONS', path: '/', expect: ['2xx', '3xx'] }],
  ['check', ['option httpchk /up'], { method: 'OPTIONS', path: '/up' }],
  ['check', ['option httpchk HEAD /up'], { method: 'HEAD', path: '/up' }],
  [
    'check',
    [String.raw`option httpchk GET /up HTTP/1.1\r\nHost:\ a.test\r\nConnection:\ close`],
    {
      path: '/up',
      headers: { Host: 'a.test' },
    },
  ],
  [
    'check',
    ['option httpchk', 'http-check send meth GET uri /up hdr X-Forwarded-Proto https hdr Connection close'],
    {
      method: 'GET',
      headers: { 'X-Forwarded-Proto': 'https' },
    },
  ],
  ['check', ['option httpchk', 'http-check expect status 200'], { expect: 200 }],
  ['check', ['option httpchk', 'http-check expect status 200-399'], { expect: ['2xx', '3xx'] }],
  ['check', ['option httpchk', 'http-check expect status 200,204'], { expect: [200, 204] }],
  ['check', ['option httpchk', 'http-check expect rstatus ^[23][0-9][0-9]'], { expect: ['2xx', '3xx'] }],
  ['check', ['option httpchk', 'http-check expect string OK now'], { body: 'OK now' }],
  ['check', ['option httpchk', 'http-check disable-on-404'], { selfDrain: true }],
])('takes the checks of "%s" and %j', (server, lines, health) => {
  const { health: found, lost, problems } = checksOf(server, ...lines)
  expect(found).toMatchObject(health)
  expect([lost, problems]).toEqual([[], []])
})

it('makes no checks without the parameter', () => {
  expect(checksOf('weight 2', 'option httpchk /up', 'http-check expect status 200')).toEqual({
    health: undefined,
    lost: [],
    problems: [],
  })
})

it.each([
  ['http-check send hdr Authorization hush', '3 http-check send'],
  ['http-check send hdr X-A %[src]', '3 http-check send'],
  ['http-check send meth CONNECT', '3 http-check send'],
  ['http-check expect ! status 500', '3 http-check expect'],
  ['http-check expect status 150', '3 http-check expect'],
  ['http-check expect rstring ^OK', '3 http-check expect'],
  ['http-check connect port 8080', '3 http-check connect'],
])('reports %s', (line, lost) => {
  const found = checksOf('check', 'option httpchk', line)
  expect([found.lost, found.problems]).toEqual([[lost], []])
  expect(JSON.stringify(found.health)).not.toContain('hush')
})

it('reports a field of the first line of checks that may be a secret', () => {
  const { health, lost } = checksOf('check', String.raw`option httpchk GET /up HTTP/1.1\r\nCookie:\ hush`)
  expect([health.path, health.headers, lost]).toEqual(['/up', undefined, ['2 option httpchk']])
})
