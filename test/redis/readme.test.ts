import { type RedisStoreOptions, redisStore } from '@limpet/redis'
import { describe, expect, it } from 'vitest'
import { codeIn, declarationOf, defaultsIn, readme, tableOf } from '../support/readme.ts'

const README = readme('packages/redis')

describe('the README of the redis store', () => {
  it('has all options, with their defaults', () => {
    const rows = tableOf(README, 'options of redisStore')
    expect(rows.map(([name]) => codeIn(name)[0])).toEqual(knownOptions())
    const defaults = defaultsIn(declarationOf('packages/redis', 'RedisStoreOptions'))
    const said = new Map(rows.map(([name, , value]) => [codeIn(name)[0], value?.replaceAll('`', '')]))
    expect(defaults.size).toBe(4)
    for (const [name, value] of defaults) expect([name, said.get(name)]).toEqual([name, value])
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
