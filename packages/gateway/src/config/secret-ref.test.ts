import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { KeptElsewhere } from './secret-ref.ts'

it.each([
  '/etc/letsencrypt/live/gateway.shop/Key.pem',
  '/srv/limpet/production/secrets/cookie-2026 (old).key',
  `/${'a'.repeat(199)}K`,
])('checks the path %s in linear time', path => {
  const refs = new KeptElsewhere(tmpdir(), undefined)
  const before = process.cpuUsage()
  expect(() => refs.file(path)).toThrow('cannot be read')
  // In microseconds of CPU time: another process may take the machine meanwhile.
  expect(process.cpuUsage(before).user).toBeLessThan(500_000)
})
