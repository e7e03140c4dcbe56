import { describe, expect, it } from 'vitest'
import { moveIn } from './move-in.ts'
import { moved } from './moved.fixture.ts'

const from = (text: string) => moved('ingress', text)

const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: prod
  annotations:
    nginx.ingress.kubernetes.io/affinity: "cookie"
    nginx.ingress.kubernetes.io/affinity-mode: MODE
    nginx.ingress.kubernetes.io/session-cookie-name: route
    nginx.ingress.kubernetes.io/session-cookie-max-age: "172800"
    nginx.ingress.kubernetes.io/proxy-read-timeout: "60"
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
    nginx.ingress.kubernetes.io/enable-cors: "true"
    example.com/owner: me
spec:
  ingressClassName: nginx
  tls: [{ hosts: [shop.example], secretName: shop-tls }]
  rules:
    - host: shop.example
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }
          - { path: '/(.*)', pathType: ImplementationSpecific, backend: { service: { name: web, port: { name: http } } } }
    - host: '*.example'
      http: { paths: [{ path: /, backend: { service: { name: web, port: { number: 80 } } } }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
`

describe('an Ingress', () => {
  it('with a cookie in persistent mode', () => {
    const { file, lost, changed, problems } = from(INGRESS.replace('MODE', 'persistent'))
    expect(file).toEqual({
      listen: '0.0.0.0:80',
      secrets: ['env:LIMPET_SECRET'],
      routes: [{ host: 'shop.example', pool: 'web-http' }],
      pools: {
        'web-http': {
          discovery: { kubernetes: { service: 'web', namespace: 'prod', port: 'http' } },
          affinity: [
            {
              cookie: {
                name: 'route',
                maxLife: '2d',
                persistent: true,
                accept: [{ ingressNginx: { name: 'prod-web-http' } }],
              },
            },
          ],
          timeouts: { response: '1m', tunnel: '1m' },
          bodyLimit: '8MiB',
        },
      },
    })
    expect(lost).toEqual([
      '13 nginx.ingress.kubernetes.io/enable-cors',
      '17 spec.tls',
      '23 spec.rules[0].http.paths[1]',
      '24 spec.rules[1]',
    ])
    expect([changed, problems]).toEqual([[], []])
  })

  it('with a cookie in balanced mode, whose values name no backend', () => {
    const { file, changed } = from(INGRESS.replace('MODE', 'balanced'))
    expect(file.pools['web-http'].affinity[0].cookie).not.toHaveProperty('accept')
    expect(changed).toEqual(['7 nginx.ingress.kubernetes.io/affinity'])
  })

  it.each([
    ['kind: Service', 'line 1: there is no object of the kind Ingress'],
    ['kind: [', expect.stringMatching(/^line 1: it is no YAML/)],
  ])('that is none is refused: %s', (text, message) => {
    expect(() => moveIn('ingress.yaml', text, 'ingress')).toThrow(
      expect.objectContaining({ name: 'BrokenFileError', message }),
    )
  })
})
