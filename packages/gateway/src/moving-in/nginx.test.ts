import { describe, expect, it } from 'vitest'
import { moveIn } from './move-in.ts'
import { moved } from './moved.fixture.ts'

const from = (text: string) => moved('nginx', text)

const HOST = 'proxy_set_header Host $host;'

describe('an nginx.conf', () => {
  it('with all that belongs to a process', () => {
    const { file, lost, problems } = from(`
user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;
events { worker_connections  1024; use epoll; }
http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status';
    access_log  /var/log/nginx/access.log  main;
    sendfile on; keepalive_timeout 65; client_header_timeout 20s; send_timeout 45s;
    large_client_header_buffers 4 8k;
    set_real_ip_from 10.0.0.0/8;
    real_ip_header X-Forwarded-For;
    upstream app { least_conn; server 10.0.0.1:8080 max_conns=50 max_fails=3 fail_timeout=30s; server 10.0.0.2 down; server unix:/run/app.sock drain weight=4; }
    server { listen 8080 default_server; client_max_body_size 10m; location / { proxy_pass http://app; ${HOST} } }
}`)
    expect(file).toEqual({
      listen: '0.0.0.0:8080',
      workers: 'auto',
      trustProxy: ['10.0.0.0/8'],
      limits: {
        connections: 1024,
        keepAlive: '65s',
        headersTimeout: '20s',
        sendTimeout: '45s',
        headers: '32KiB',
      },
      pools: {
        app: {
          backends: [
            { id: '10_0_0_1-8080', url: 'http://10.0.0.1:8080', maxInFlight: 50 },
            { id: '10_0_0_2-80', url: 'http://10.0.0.2:80', state: 'maint' },
            { id: 'run_app_sock', url: 'unix:/run/app.sock', state: 'drain', weight: 4 },
          ],
          balance: 'least-requests',
          passive: { fall: 3, retryAfter: '30s' },
          bodyLimit: '10MiB',
        },
      },
    })
    expect(problems).toEqual([])
    expect(lost).toEqual(['8 include', '16 real_ip_header'])
  })

  it('with routes, and a map that cuts them off a cookie', () => {
    const { file, lost } = from(`
map $cookie_jsessionid $route_cookie { ~.+\\.(?P<route>\\w+)$ $route; }
upstream app {
  server 10.0.0.1:8080 route=a.b; server 10.0.0.2:8080 route=b;
  sticky route $route_cookie $arg_route;
}
server { location / { proxy_pass http://app/; ${HOST} } }`)
    expect(lost).toEqual([])
    expect(file.pools.app).toMatchObject({
      backends: [{ id: 'a_b', aliases: ['a.b'] }, { id: 'b' }],
      affinity: [{ route: { cookie: 'jsessionid' } }, { route: { query: 'route' } }],
    })
  })

  it('with hosts and paths, as routes', () => {
    const { file, lost, changed } = from(`
upstream a { server 10.0.0.1; } upstream b { server 10.0.0.2; }
server { listen 80; server_name shop.example www.shop.example; ${HOST}
  location / { proxy_pass http://a; }
  location /api/ { proxy_pass http://b; proxy_read_timeout 5m; proxy_set_header Upgrade $http_upgrade; ${HOST} }
  location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; } }
server { listen 80; server_name *.example; location / { proxy_pass http://10.0.0.3:81; ${HOST} } }
server { listen 80; return 301 https://$host$request_uri; }
server { listen 81; location / { proxy_pass http://a; ${HOST} } }`)
    expect(file.routes).toEqual([
      { host: 'shop.example', pool: 'a' },
      { host: 'www.shop.example', pool: 'a' },
      { pool: 'a' },
      { host: 'shop.example', path: '/api/', pool: 'b' },
      { host: 'www.shop.example', path: '/api/', pool: 'b' },
      { path: '/api/', pool: 'b' },
    ])
    expect(file.pools.b.timeouts).toEqual({ response: '5m', tunnel: '5m' })
    expect(lost).toEqual(['6 location', '7 server_name *.example', '8 server', '9 server'])
    expect(changed).toEqual([])
  })

  it('with backends over TLS, which nginx does not verify by itself', () => {
    const text = (verify: string): string =>
      `server { location / { proxy_pass https://10.0.0.1; ${verify} ${HOST} } }`
    expect(from(text('')).file.pools).toEqual({
      '10_0_0_1-443': {
        backends: [{ id: '10_0_0_1-443', url: 'https://10.0.0.1:443' }],
        tls: { verify: false },
      },
    })
    const verified = from(
      text('proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/ca.pem; proxy_ssl_name app;'),
    )
    expect(verified.file.pools['10_0_0_1-443'].tls).toEqual({ ca: '/etc/ca.pem', servername: 'app' })
  })

  it('with fields that are set, hidden and added', () => {
    const { file, lost } = from(`server { location / { proxy_pass http://10.0.0.1;
proxy_set_header Host $proxy_host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header Connection "";
proxy_set_header X-Zone "eu"; proxy_set_header Cookie ""; proxy_set_header X-Id $request_id;
proxy_set_header Authorization "Basic c2VjcmV0"; add_header X-Frame-Options DENY always; proxy_hide_header X-Powered-By; } }`)
    expect(file.pools['10_0_0_1-80']).toMatchObject({
      host: 'backend',
      requestHeaders: { set: { 'X-Zone': 'eu' }, remove: ['Cookie'] },
      responseHeaders: { set: { 'X-Frame-Options': 'DENY' }, remove: ['X-Powered-By'] },
    })
    expect(lost).toEqual(['3 proxy_set_header X-Id', '4 proxy_set_header Authorization'])
  })

  it('with names that are looked up', () => {
    const { file } = from(
      `upstream app { zone app 64k; server app.internal:8080 resolve; } server { location / { proxy_pass http://app; ${HOST} } }`,
    )
    expect(file.pools.app).toMatchObject({ backends: [], discovery: { dns: 'app.internal:8080' } })
  })

  it('tells what a cookie has beside', () => {
    const { file, lost, changed } = from(`upstream app { server app1.internal:80; server app2.internal:80;
sticky cookie srv_id expires=max domain=.example.com path=/shop secure samesite=none foo=1;
hash $remote_addr$arg_x; }`)
    expect(file.pools.app.affinity).toEqual([
      {
        cookie: {
          name: 'srv_id',
          maxLife: '0s',
          maxIdle: '400d',
          persistent: true,
          domain: 'example.com',
          path: '/shop',
          secure: true,
          sameSite: 'none',
          accept: ['raw', 'nginx'],
        },
      },
    ])
    expect(lost).toEqual(['2 sticky cookie … foo', '3 hash'])
    expect(changed).toEqual(['1 server NAME'])
  })

  it('never tells the values of directives, which may be secret', () => {
    const { report, text } = moveIn(
      'nginx.conf',
      `server { location / { proxy_pass http://10.0.0.1; auth_basic_user_file hunter2; proxy_set_header X-Token hunter2; secure_link_md5 hunter2; } }`,
      'nginx',
    )
    expect(JSON.stringify([report.findings, text])).not.toContain('hunter2')
  })

  it.each([
    ['upstream a {\n server 10.0.0.1;\n', 'line 1: the file ends within this block; a "}" is missing'],
    ['user nginx;\nworker_processes', 'line 2: the file ends within a directive; a ";" is missing'],
    ['log_format "main', 'line 1: the file ends within a quoted text'],
    ['server { } }', 'line 1: a "}" has no "{"'],
    ['server {\n listen 80 }', 'line 2: a directive ends with "}"; a ";" is missing'],
    ['a {'.repeat(100), 'line 1: blocks are nested more than 32 deep'],
    [';', 'line 1: a directive has no name'],
    [
      'server { access_by_lua_block { if a then {',
      'line 1: the file ends within this block; a "}" is missing',
    ],
  ])('that is broken is refused: %s', (text, message) => {
    expect(() => moveIn('nginx.conf', text, 'nginx')).toThrow(
      expect.objectContaining({ name: 'BrokenFileError', message }),
    )
  })
})
