import { expect, it } from 'vitest'
import { endpointIn, listenIn, listenText } from './endpoint.ts'

it.each<[string, string | undefined, string?]>([
  ['10.0.0.1:8080', 'http://10.0.0.1:8080', '10_0_0_1-8080'],
  ['app.internal', 'http://app.internal:80', 'app_internal-80'],
  ['[fd00::1]:8080', 'http://[fd00::1]:8080', '[fd00::1]-8080'],
  ['unix:/run/app.sock', 'unix:/run/app.sock', '/run/app.sock'],
  ['unix:///run/app.sock', 'unix:/run/app.sock', '/run/app.sock'],
  ['unix:/run/app.sock:', 'unix:/run/app.sock', '/run/app.sock'],
  ['unix@/run/app.sock', 'unix:/run/app.sock', '/run/app.sock'],
  ['', undefined],
  [':8080', undefined],
  ['a:0', undefined],
  ['a:65536', undefined],
  ['a:8080-8090', undefined],
  ['a/path', undefined],
  ['{env.HOST}:80', undefined],
  ['unix:/run/$name', undefined],
  ['999.1.1.1:80', undefined],
  ['x'.repeat(301), undefined],
])('the address %j is the url %s', (text, url, name) => {
  expect(endpointIn(text, 'http', 80)).toEqual(url === undefined ? undefined : { url, name })
})

it('needs a port where none is given for it, and takes the scheme', () => {
  expect([endpointIn('a', 'http'), endpointIn('a:1', 'https')?.url]).toEqual([undefined, 'https://a:1'])
})

it.each([
  ['80', '0.0.0.0:80'],
  [':80', '0.0.0.0:80'],
  ['*:80', '0.0.0.0:80'],
  ['127.0.0.1:80', '127.0.0.1:80'],
  ['[::]:80', '[::]:80'],
  ['name:80', 'name:80'],
  ['0', undefined],
  ['70000', undefined],
  ['80-90', undefined],
  ['unix:/a', undefined],
])('listens at %j as %s', (text, expected) => {
  const address = listenIn(text)
  expect(address && listenText(address)).toBe(expected)
})
