import { expect, it } from 'vitest'
import { read, SECRET, web } from '../config/config-file.fixture.ts'
import { changesBetween, reloaded } from './reload.ts'

const FILE = { secrets: [SECRET], pools: { web } }

function changes(before: object, after: object) {
  return changesBetween(read({ ...FILE, ...before }), read({ ...FILE, ...after }))
}

it.each<[object, object, readonly string[], readonly string[]]>([
  [{}, {}, [], []],
  [{ shutdownGrace: '5s' }, { shutdownGrace: '6s' }, ['shutdownGrace'], []],
  [{ limits: { keepAlive: '5s' } }, { limits: { keepAlive: '6s' } }, ['limits'], []],
  [{ limits: { headers: '8KiB' } }, { limits: { headers: '9KiB' } }, [], ['limits.headers']],
  [{ listen: '127.0.0.1:1' }, { listen: '127.0.0.1:2' }, [], ['listen']],
  [{ adapter: 'koa' }, { adapter: 'express' }, [], ['adapter']],
  [{ log: { level: 'info' } }, { log: { level: 'warn' } }, [], ['log']],
  [{}, { admin: {} }, [], ['admin']],
])('from %j to %j changes %j now, and %j at a restart', (before, after, changed, needsRestart) => {
  expect(changes(before, after)).toEqual({ changed, needsRestart })
})

it('names the pools that differ, and those that differ in their backends alone', () => {
  const pools = (options: object): object => ({ pools: { web: { ...web, ...options } } })
  const other = { backends: [{ id: 'b', url: 'http://127.0.0.1:2' }] }
  expect(changes(pools({}), pools({ balance: 'first' })).changed).toEqual(['pools.web'])
  expect(changes(pools({}), pools(other)).changed).toEqual(['pools.web.backends'])
  expect(changes({ pools: { web } }, { pools: { api: web } }).changed).toEqual(
    expect.arrayContaining(['pools.web', 'pools.api']),
  )
})

it('keeps the values that need a restart', () => {
  const before = read({ ...FILE, adapter: 'koa', listen: '127.0.0.1:1', shutdownGrace: '5s' })
  const after = read({ ...FILE, adapter: 'express', listen: '127.0.0.1:2', shutdownGrace: '6s' })
  expect(reloaded(before, after)).toMatchObject({
    adapter: 'koa',
    listen: { port: 1 },
    shutdownGraceMs: 6_000,
  })
})
