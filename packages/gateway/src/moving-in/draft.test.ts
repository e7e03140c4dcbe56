import { expect, it } from 'vitest'
import { addBackend, Draft } from './draft.ts'

it('makes names legal, and unlike each other', () => {
  const draft = new Draft()
  const long = 'x'.repeat(80)
  const names = ['shop', 'shop', 'shop', 'a b/c', '__', 'ü', long, long].map(
    name => draft.addPool(name, 'test', 1).name,
  )
  expect(names).toEqual([
    'shop',
    'shop-2',
    'shop-3',
    'a_b_c',
    'unnamed',
    'unnamed-2',
    'x'.repeat(64),
    `${'x'.repeat(62)}-2`,
  ])
  const { file } = draft.addPool('one', 'test', 1)
  for (const name of ['w.1', 'w.1']) addBackend(file, name, { url: 'http://a' }, 1)
  expect(file.backends?.map(({ id }) => id)).toEqual(['w_1', 'w_1-2'])
})

it('gives a route to the first pool that asks for it', () => {
  const draft = new Draft()
  expect([
    draft.addRoute({ host: 'A.test', pool: 'one' }),
    draft.addRoute({ host: 'a.TEST', path: '/', pool: 'one' }),
    draft.addRoute({ host: 'a.test', pool: 'two' }),
    draft.addRoute({ host: 'a.test', path: '/x', pool: 'two' }),
  ]).toEqual([true, true, false, true])
  expect(draft.routes).toHaveLength(2)
})

it('has routes only where they say more than that all requests go to the only pool', () => {
  const routesOf = (path?: string): unknown => {
    const draft = new Draft()
    draft.addPool('web', 'test', 1)
    draft.addRoute({ pool: 'web', ...(path !== undefined && { path }) })
    return draft.value.routes
  }
  expect([routesOf(), routesOf('/'), routesOf('/x')]).toEqual([
    undefined,
    undefined,
    [{ pool: 'web', path: '/x' }],
  ])
})

it('asks for a secret where a policy signs', () => {
  const draft = new Draft()
  const { file } = draft.addPool('web', 'test', 1)
  file.affinity = [{ learn: { cookie: 'sid' } }]
  expect(draft.value.secrets).toBeUndefined()
  file.affinity = [{ learn: { cookie: 'sid' } }, { cookie: {} }]
  expect(draft.value.secrets).toEqual(['env:LIMPET_SECRET'])
})

it('writes a backend on a line, in the order of importance, with where it is from', () => {
  const draft = new Draft()
  const { file } = draft.addPool('web', 'nginx: upstream', 7)
  file.maxAttempts = 2
  addBackend(file, 'w1', { url: 'http://a:80', weight: 2 }, 7)
  expect(draft.text('made\nby a test')).toBe(`# made
# by a test

pools:
  # nginx: upstream, line 7
  web:
    backends:
      - { id: w1, url: http://a:80, weight: 2 }
    maxAttempts: 2
`)
})
