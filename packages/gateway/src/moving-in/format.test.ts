import { expect, it } from 'vitest'
import { formatOf } from './format.ts'

it.each([
  ['/etc/nginx/nginx.conf', 'nginx'],
  ['my-nginx.site.conf', 'nginx'],
  ['haproxy.cfg', 'haproxy'],
  ['lb.CFG', 'haproxy'],
  ['Caddyfile', 'caddy'],
  ['Caddyfile.prod', 'caddy'],
  ['shop.caddyfile', 'caddy'],
  ['traefik.yml', 'traefik'],
  ['dynamic.toml', 'traefik'],
  ['shop-ingress.yaml', 'ingress'],
  ['-', undefined],
  ['limpet.yaml', undefined],
])('knows %s by its name: %s', (file, format) => {
  expect(formatOf(file, '')).toBe(format)
})

it.each([
  ['apiVersion: v1\nkind: Ingress\n', 'ingress'],
  ['http:\n  routers: {}\n', 'traefik'],
  ['[http.routers]\n', 'traefik'],
  ['global\n  daemon\nbackend app\n', 'haproxy'],
  ['upstream app { server a; }', 'nginx'],
  ['  server {\n  listen 80;\n', 'nginx'],
  ['location / { proxy_pass http://a; }\nproxy_pass http://a;', 'nginx'],
  ['shop.test {\n  reverse_proxy a:80\n}', 'caddy'],
  ['pools: {}', undefined],
])('knows %j by its content: %s', (text, format) => {
  expect(formatOf('config.txt', text)).toBe(format)
})

it('believes the name before the content', () => {
  expect(formatOf('haproxy.cfg', 'http {')).toBe('haproxy')
})
