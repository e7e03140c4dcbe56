import { createAffinity, type DiscoveryListener } from '@limpet/core'
import { startDiscovery } from '@limpet/core/adapter'
import { expect, it } from 'vitest'
import { membersOf, restoreMembers } from './pool-members.ts'

it('a backend that is absent in another process has no grace time: an operator may have removed it', () => {
  const { pool } = createAffinity({ backends: [], affinity: [], onUnavailable: 'reject' })
  let listener: DiscoveryListener | undefined
  startDiscovery(pool, {
    name: 'registry',
    subscribe(subscriber) {
      listener = subscriber
      return { close: () => undefined }
    },
  })
  const all = ['a', 'b', 'c'].map(id => ({ id, url: `http://${id}.test:80` }))
  listener?.backends(all)
  const there = membersOf(pool).filter(({ options }) => options.id === 'b')
  listener?.backends(all.slice(0, 2))
  restoreMembers(pool, there)
  expect(pool.backends.map(({ backend }) => backend.id)).toEqual(['b'])
  expect(pool.departed.map(({ backend }) => backend.id)).toEqual(['c'])
})
