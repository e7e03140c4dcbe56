import { describe, expect, it } from 'vitest'
import { moveIn } from './move-in.ts'
import { moved } from './moved.fixture.ts'

const from = (text: string) => moved('haproxy', text)

describe('a haproxy.cfg', () => {
  it('with conditions of hosts and paths, as routes', () => {
    const { file, lost } = from(`
frontend www
  bind :8080
  acl is_api path_beg /api/ /v2/
  acl is_shop hdr(host) -i shop.example www.shop.example
  acl is_local src 127.0.0.0/8
  use_backend api if is_api is_shop
  use_backend shop if is_shop or { path_dir static }
  use_backend admin if is_local
  default_backend shop
backend api
  server a1 10.0.0.1:80
backend shop
  server s1 10.0.0.2:80
backend admin
  server x1 10.0.0.3:80`)
    expect(file.routes).toEqual([
      { host: 'shop.example', path: '/api/', pool: 'api' },
      { host: 'shop.example', path: '/v2/', pool: 'api' },
      { host: 'www.shop.example', path: '/api/', pool: 'api' },
      { host: 'www.shop.example', path: '/v2/', pool: 'api' },
      { host: 'shop.example', pool: 'shop' },
      { host: 'www.shop.example', pool: 'shop' },
      { path: '/static', pool: 'shop' },
      { pool: 'shop' },
    ])
    expect(lost).toEqual(['6 acl', '9 use_backend admin', '15 backend admin'])
  })

  it('with a cookie and all its words', () => {
    const { file, lost, problems } = from(`
backend web
  balance leastconn
  cookie SRV insert postonly preserve secure domain .example.com maxidle 30m maxlife 8h attr "SameSite=None" attr Partitioned attr Priority=High dynamic
  dynamic-cookie-key hunter2
  default-server check inter 1s weight 50 maxconn 20
  server a 10.0.0.1:80
  server b 10.0.0.2:80 backup weight 0 disabled send-proxy
  server-template c 3 c.internal:80`)
    expect(file.pools.web).toMatchObject({
      backends: [
        { id: 'a', url: 'http://10.0.0.1:80', weight: 50, maxInFlight: 20 },
        { id: 'b', url: 'http://10.0.0.2:80', weight: 0, maxInFlight: 20, backup: true, state: 'maint' },
      ],
      discovery: { dns: 'c.internal:80' },
      balance: 'least-requests',
      whenFull: 'wait',
      affinity: [
        {
          cookie: {
            name: 'SRV',
            maxIdle: '30m',
            maxLife: '8h',
            onlyMethods: ['POST'],
            preserve: true,
            secure: true,
            domain: 'example.com',
            sameSite: 'none',
            partitioned: true,
            strip: false,
            accept: [{ haproxy: { key: 'env:HAPROXY_COOKIE_KEY' } }],
          },
        },
      ],
    })
    expect(lost).toEqual(['4 cookie … attr', '8 server … send-proxy'])
    expect(problems).toEqual([])
  })

  it('with tables: what responses teach is learnt, what requests carry is hashed', () => {
    const learnt = from(`
backend web
  stick-table type string len 64 size 100k expire 30m
  stick store-response res.cook(JSESSIONID)
  stick match req.cook(JSESSIONID)
  stick match urlp(jsessionid)
  server a 10.0.0.1:80`)
    expect(learnt.file.pools.web.affinity).toEqual([
      {
        learn: {
          cookie: 'JSESSIONID',
          lookup: ['cookie:JSESSIONID', 'query:jsessionid'],
          ttl: '30m',
          maxEntries: 102_400,
        },
      },
    ])
    expect(learnt.lost).toEqual([])
    const hashed = from(`
backend web
  stick-table type ip size 1m expire 30m peers mypeers
  stick on src
  server a 10.0.0.1:80`)
    expect(hashed.file.pools.web.balance).toEqual({ hash: 'ip', ipv6Prefix: 128 })
    expect(hashed.changed).toEqual(['4 stick'])
  })

  it('with servers over TLS, sockets and IPv6', () => {
    const { file } = from(`
backend web
  server a 10.0.0.1:443 ssl verify required ca-file /etc/ca.pem sni str(app.internal)
  server b ipv6@[2001:db8::1]:443 ssl
  server c unix@/run/app.sock`)
    expect(file.pools.web).toEqual({
      backends: [
        { id: 'a', url: 'https://10.0.0.1:443' },
        { id: 'b', url: 'https://[2001:db8::1]:443' },
        { id: 'c', url: 'unix:/run/app.sock' },
      ],
      tls: { ca: '/etc/ca.pem', servername: 'app.internal' },
    })
  })

  it.each([
    ['status 200,204', [200, 204]],
    ['status 200-399', ['2xx', '3xx']],
    ['rstatus ^[23]', ['2xx', '3xx']],
    ['rstatus ^2..$', ['2xx', '3xx']],
    ['status 100', ['2xx', '3xx']],
  ])('with a check that expects %s', (expected, statuses) => {
    const { file } = from(`
backend web
  option httpchk
  http-check send meth GET uri /up ver HTTP/1.1 hdr Host app.internal
  http-check expect ${expected}
  server a 10.0.0.1:80 check`)
    expect(file.pools.web.health).toMatchObject({
      method: 'GET',
      path: '/up',
      headers: { Host: 'app.internal' },
      expect: statuses,
    })
  })

  it.each([
    [
      'cross the names of other servers',
      'server a 10.0.0.1:80 cookie b\n server b 10.0.0.2:80 cookie a\n server c 10.0.0.3:80 cookie x.y',
      [{ id: 'b' }, { id: 'a' }, { id: 'c', aliases: ['x.y'] }],
      [],
    ],
    [
      'are the name of a server without one',
      'server a 10.0.0.1:80 cookie b\n server b 10.0.0.2:80',
      [{ id: 'b' }, { id: 'b-2' }],
      [],
    ],
    [
      'stand twice',
      'server a 10.0.0.1:80 cookie s\n server b 10.0.0.2:80 cookie s',
      [{ id: 'a', aliases: ['s'] }, { id: 'b' }],
      ['4 server … cookie'],
    ],
    ['are empty', 'server a 10.0.0.1:80 cookie ""', [{ id: 'a' }], ['3 server … cookie']],
  ])('with cookie words that %s', (_, servers, backends, losses) => {
    const { file, lost, problems } = from(`backend web\n cookie SRV insert indirect\n ${servers}`)
    expect(file.pools.web.backends.map(({ url: _url, ...rest }: { url: string }) => rest)).toEqual(backends)
    expect([lost, problems]).toEqual([losses, []])
  })

  it('with a prefix and a table of the same cookie', () => {
    const { file, lost } = from(`backend web
 cookie SID prefix
 stick-table type string size 1k expire 1us
 stick store-response res.cook(SID)
 server a 10.0.0.1:80 check inter 1ms`)
    expect(file.pools.web.affinity).toEqual([{ prefix: { cookie: 'SID', accept: ['haproxy'] } }])
    expect(file.pools.web.health.interval).toBe('10ms')
    expect(lost).toEqual(['4 stick'])
  })

  it('with defaults that have names, a listen section, and sections that limpet has not', () => {
    const { file, lost } = from(`
global
  maxconn 2000
  nbthread 4
  tune.bufsize 32768
defaults base
  mode http
  timeout connect 1s
defaults slow from base
  timeout server 5m
listen app from slow
  bind 127.0.0.1:80,127.0.0.1:81
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request deny if { path /secret }
  http-response del-header Server
  server a 10.0.0.1:80
listen ssh
  mode tcp
  bind :22
  server s 10.0.0.1:22
peers mypeers
  peer me 127.0.0.1:1024
userlist people
  user admin insecure-password hunter2`)
    expect(file).toMatchObject({
      listen: '127.0.0.1:80',
      limits: { connections: 2000 },
      pools: {
        app: { timeouts: { connect: '1s', response: '5m' }, responseHeaders: { remove: ['Server'] } },
      },
    })
    expect(lost).toEqual(['12 bind', '14 http-request deny', '17 listen ssh', '21 peers', '23 userlist'])
    expect(JSON.stringify(lost)).not.toContain('hunter2')
  })

  it.each([
    ['server a 10.0.0.1:80', 'line 1: a directive stands before the first section'],
    ['backend web\n  http-check expect string "ok', 'line 2: the line ends within a quoted text'],
  ])('that is broken is refused: %s', (text, message) => {
    expect(() => moveIn('haproxy.cfg', text, 'haproxy')).toThrow(
      expect.objectContaining({ name: 'BrokenFileError', message }),
    )
  })
})
