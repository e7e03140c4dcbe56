import { type RedisStoreOptions, redisStore } from '@limpet/redis'
import { describe, expect, it } from 'vitest'
import { codeIn, readme, tableOf } from '../support/readme.ts'
import { optionDocs } from '../support/table-docs.ts'

const README = readme('packages/redis')

describe('the README of the redis store', () => {
  it('has all options, with their defaults', () => {
    const rows = tableOf(README, 'options of redisStore')
    expect(rows.map(([name]) => codeIn(name)[0])).toEqual(knownOptions())
    const docs = optionDocs('REDIS_STORE_OPTIONS')
    expect([...docs.keys()]).toEqual(knownOptions())
    for (const [name = '', , value = ''] of rows) {
      const said = value.startsWith('this, ') ? undefined : value.replaceAll('`', '')
      expect([name, said]).toEqual([name, docs.get(codeIn(name)[0] ?? '')?.default])
    }
  })
})

function knownOptions(): readonly string[] {
  try {
    redisStore({ unknownOption: 1 } as RedisStoreOptions)
  } catch (error) {
    return /known are (.*)$/m.exec((error as Error).message)?.[1]?.split(', ') ?? []
  }
  return []
}
