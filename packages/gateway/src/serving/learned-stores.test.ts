import type { PolicyOptions } from '@limpet/core'
import { expect, it } from 'vitest'
import type { PoolConfig } from '../config/config.ts'
import { keepLearned, learnedTables } from './learned-stores.ts'

const learn = (options: object): PolicyOptions => ({ learn: { cookie: 'sid', ...options } })
const storeOf = (policies: readonly PolicyOptions[] | undefined, index = 0): unknown => {
  const policy = policies?.[index]
  return policy !== undefined && 'learn' in policy ? policy.learn.store : undefined
}

it('gives a policy the store that learned the same before it', () => {
  const first = keepLearned([{ cookie: {} }, learn({ ttl: '1h' })])
  expect(first.policies?.[0]).toEqual({ cookie: {} })
  const next = keepLearned([learn({ ttl: '2h' }), learn({ cookie: 'other' })], first.learned)
  expect(storeOf(next.policies)).toBe(storeOf(first.policies, 1))
  expect(storeOf(next.policies, 1)).not.toBe(storeOf(first.policies, 1))
  expect(storeOf(keepLearned([learn({ maxEntries: 5 })], next.learned).policies)).not.toBe(
    storeOf(next.policies),
  )
  expect(keepLearned(undefined)).toEqual({ policies: undefined, learned: new Map() })
})

it('gives it a store that processes share in place of one of its own', () => {
  const asked: unknown[] = []
  const shared = { open: () => undefined } as never
  const { policies, learned } = keepLearned([learn({ maxEntries: 5 })], new Map(), maxEntries => {
    asked.push(maxEntries)
    return shared
  })
  expect([asked, storeOf(policies), learned.size]).toEqual([[5], shared, 0])
  expect(policies).toEqual([{ learn: { cookie: 'sid', store: shared } }])
})

it('names the tables of all pools', () => {
  const pools = [
    { name: 'web', options: { affinity: [learn({ maxEntries: 7 }), { cookie: {} }] } },
    { name: 'api', options: { affinity: [{ learn: { header: 'X-Id' } }] } },
    { name: 'rest', options: {} },
  ] as unknown as readonly PoolConfig[]
  expect([...learnedTables(pools)]).toEqual([
    ['web/cookie/sid', 7],
    ['api/header/X-Id', undefined],
  ])
})
