import { expect, it } from 'vitest'
import { router } from '../config/routes.ts'
import { parseQuestion } from './question.ts'
import { routedPool } from './routed-pool.ts'

const route = router([
  { host: 'shop.test', path: '/', pool: 'shop' },
  { host: undefined, path: '/api/', pool: 'api' },
])

function poolOf(url: string, host?: string): string {
  const headers = host === undefined ? [] : [['Host', host]]
  return routedPool(parseQuestion({ url, headers }), route)
}

it('is the pool of the routes, for the Host of the question', () => {
  expect([poolOf('/', 'shop.test'), poolOf('/api/x')]).toEqual(['shop', 'api'])
})

it('is none where the gateway would answer by itself', () => {
  expect(() => poolOf('/')).toThrow('no route matches this host and path')
  expect(() => poolOf('/../api/')).toThrow('servers read this target in different ways')
})
