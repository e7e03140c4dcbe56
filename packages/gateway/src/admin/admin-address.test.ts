import { expect, it } from 'vitest'
import type { AdminConfig } from '../config/config.ts'
import { adminUrl, urlOption } from './admin-address.ts'

function urlOf(host: string, port: number): string {
  return adminUrl('limpet.yaml', { host, port } as AdminConfig, '--admin').href
}

it('reaches an admin port of all interfaces by the loopback one', () => {
  expect([urlOf('0.0.0.0', 8404), urlOf('::', 8404), urlOf('fd00::1', 1), urlOf('admin.test', 80)]).toEqual([
    'http://127.0.0.1:8404/',
    'http://[::1]:8404/',
    'http://[fd00::1]:1/',
    'http://admin.test/',
  ])
})

it('tells that there is none, or that its port is not known', () => {
  expect(() => adminUrl('limpet.yaml', undefined, '--admin')).toThrow(
    'limpet.yaml has no admin port; add admin: {}',
  )
  expect(() => urlOf('127.0.0.1', 0)).toThrow('which is any free one; use --admin')
})

it('takes a url without a name and a password', () => {
  expect(urlOption('--admin', 'https://a:1').href).toBe('https://a:1/')
  for (const text of ['a:1', 'ftp://a', '', 'http://eva:hush@a', 'http://eva@a'])
    expect(() => urlOption('--admin', text)).toThrow('--admin takes http://host:port')
})
