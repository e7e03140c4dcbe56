import { describe, expect, it } from 'vitest'
import { moveIn } from './move-in.ts'
import { moved } from './moved.fixture.ts'

const from = (text: string) => moved('traefik', text)

const YAML = `
entryPoints:
  web: { address: ':80' }
  websecure:
    address: ':443'
    forwardedHeaders: { trustedIPs: [10.0.0.0/8] }
http:
  routers:
    shop:
      rule: Host(\`shop.example\`) && (PathPrefix(\`/cart/\`) || PathPrefix(\`/pay/\`))
      service: shop@file
      entryPoints: [websecure]
      middlewares: [sec, strip]
      tls: {}
    old: { rule: 'HostRegexp(\`.+\`)', service: shop }
  middlewares:
    sec: { headers: { customResponseHeaders: { X-Frame-Options: DENY, Server: '' } } }
    strip: { stripPrefix: { prefixes: [/cart] } }
  services:
    shop:
      loadBalancer:
        passHostHeader: false
        strategy: p2c
        sticky: { cookie: { secure: true, httpOnly: true, sameSite: strict, maxAge: 3600, path: /x } }
        servers: [{ url: 'http://10.0.0.7:80' }, { url: 'http://10.0.0.8/', weight: 2 }, { url: 'http://10.0.0.9/app' }]
        healthCheck: { path: /up, interval: 10s, timeout: 3s, status: 204, hostname: app, headers: { X-A: b } }
    canary: { weighted: { services: [{ name: shop, weight: 3 }] } }
tls: { certificates: [{ certFile: /c.pem, keyFile: /k.pem }] }
tcp: { routers: {} }`

describe('a configuration of Traefik', () => {
  it('in YAML', () => {
    const { file, lost, problems } = from(YAML)
    expect(file).toEqual({
      listen: { host: '0.0.0.0', port: 443, tls: { cert: '/c.pem', key: '/k.pem' }, http2: true },
      trustProxy: ['10.0.0.0/8'],
      secrets: ['env:LIMPET_SECRET'],
      routes: [
        { host: 'shop.example', path: '/cart/', pool: 'shop' },
        { host: 'shop.example', path: '/pay/', pool: 'shop' },
      ],
      pools: {
        shop: {
          backends: [
            { id: '10_0_0_7-80', url: 'http://10.0.0.7:80' },
            { id: '10_0_0_8-80', url: 'http://10.0.0.8:80', weight: 2 },
          ],
          affinity: [
            {
              cookie: {
                // printf _TRAEFIK_BACKEND_shop@file | sha1sum
                name: '_8705d',
                maxLife: '1h',
                secure: true,
                path: '/x',
                sameSite: 'strict',
                persistent: true,
                accept: ['traefik'],
              },
            },
          ],
          balance: 'random-two',
          health: {
            path: '/up',
            interval: '10s',
            timeout: '3s',
            fall: 1,
            rise: 1,
            expect: 204,
            headers: { 'X-A': 'b', host: 'app' },
          },
          host: 'backend',
          responseHeaders: { set: { 'X-Frame-Options': 'DENY' }, remove: ['Server'] },
        },
      },
    })
    expect(lost).toEqual([
      '3 entryPoints.web',
      '15 http.routers.old.rule',
      '18 http.middlewares.strip.stripPrefix',
      '25 http.services.shop.loadBalancer.servers[2]',
      '27 http.services.canary',
      '29 tcp',
    ])
    expect(problems).toEqual([])
  })

  it('in TOML', () => {
    const { file, lost } = from(`
[http.routers.my]
  rule = "PathPrefix(\`/\`)"
  service = "svc"
[http.services.svc.loadBalancer]
  [http.services.svc.loadBalancer.sticky.cookie]
    name = "my_sticky"
  [[http.services.svc.loadBalancer.servers]]
    url = "http://server-1/"
  [[http.services.svc.loadBalancer.servers]]
    url = "http://server-2:81/"
[http.middlewares.limit.rateLimit]
  average = 100`)
    expect(file).toMatchObject({
      listen: '0.0.0.0:80',
      pools: {
        svc: {
          backends: [
            { id: 'server-1-80', url: 'http://server-1:80' },
            { id: 'server-2-81', url: 'http://server-2:81' },
          ],
          affinity: [{ cookie: { name: 'my_sticky' } }],
        },
      },
    })
    expect(lost).toEqual(['12 http.middlewares'])
  })

  it.each([
    [
      'entryPoints:\n  web:\n    address: ":80"',
      'line 1: there are no http.services: give the dynamic configuration, of the file provider',
    ],
    ['http:\n  services: [', expect.stringMatching(/^line 2: it is no YAML/)],
    ['[http.services]\na = ', expect.stringMatching(/^line 2: it is no TOML/)],
    [`http: ${'['.repeat(40)}${']'.repeat(40)}`, 'line 1: it is nested more than 32 deep'],
  ])('that is broken is refused: %s', (text, message) => {
    expect(() => moveIn('traefik', text, 'traefik')).toThrow(
      expect.objectContaining({ name: 'BrokenFileError', message }),
    )
  })
})
