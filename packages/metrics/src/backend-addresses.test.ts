import { createAffinity } from '@limpet/core'
import { expect, it } from 'vitest'
import { BackendAddresses } from './backend-addresses.ts'

const affinity = createAffinity({
  name: 'web',
  backends: [
    { id: 'w1', url: 'http://a.test' },
    { id: 'w2', url: 'https://[fd00::1]/base' },
    { id: 'w3', url: 'unix:/run/a%20b' },
    { id: 'w4', url: 'http://10.0.0.1:8080' },
  ],
  affinity: [],
})

it.each([
  ['w1', { 'server.address': 'a.test', 'server.port': 80 }],
  ['w2', { 'server.address': 'fd00::1', 'server.port': 443 }],
  ['w3', { 'server.address': '/run/a b' }],
  ['w4', { 'server.address': '10.0.0.1', 'server.port': 8080 }],
  ['gone', {}],
])('knows the address of %s', (backend, address) => {
  expect(new BackendAddresses([affinity]).attributesOf('web', backend)).toEqual({
    ...address,
    'limpet.pool': 'web',
    'limpet.backend': backend,
  })
})

it('looks again when the members have changed', () => {
  const addresses = new BackendAddresses([affinity])
  expect([addresses.hasPool('web'), addresses.hasPool('api')]).toEqual([true, false])
  expect(addresses.attributesOf('web', 'w1')['server.address']).toBe('a.test')
  affinity.pool.replace([{ id: 'w1', url: 'http://b.test' }])
  expect(addresses.attributesOf('web', 'w1')['server.address']).toBe('a.test')
  addresses.changed('web')
  expect(addresses.attributesOf('web', 'w1')['server.address']).toBe('b.test')
})
