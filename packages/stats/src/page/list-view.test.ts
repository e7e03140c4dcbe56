import { expect, it } from 'vitest'
import { poolOf } from './figures.fixture.ts'
import { ListView } from './list-view.ts'

const { backends } = poolOf({
  w10: { requests: 5, sessions: undefined, healthy: false },
  w2: { requests: 20, sessions: 0 },
  w1: { requests: 3, sessions: 7, state: 'drain' },
})

function idsOf(query: string): readonly string[] {
  return new ListView(new URLSearchParams(query)).select(backends).map(({ id }) => id)
}

it.each([
  ['', ['w10', 'w2', 'w1']],
  ['sort=id', ['w1', 'w2', 'w10']],
  ['sort=id&order=desc', ['w10', 'w2', 'w1']],
  ['sort=requests', ['w1', 'w10', 'w2']],
  ['sort=sessions&order=desc', ['w1', 'w2', 'w10']],
  ['sort=state', ['w10', 'w1', 'w2']],
  ['filter=W1', ['w10', 'w1']],
  ['filter=%20down%20', ['w10']],
  ['filter=w2.test:8080', ['w2']],
  ['filter=w3', []],
])('shows of the query %j the backends %j', (query, ids) => {
  expect(idsOf(query)).toEqual(ids)
})

it.each(['nonsense', 'toString', ''])('sorts by no column %j', sort => {
  expect(new ListView(new URLSearchParams({ sort })).sort).toBeUndefined()
})

it.each(['', 'page-web=0', 'page-web=-2', 'page-web=1.5', 'page-web=x', 'page-api=3'])(
  'is at the first page with %j',
  query => {
    expect(new ListView(new URLSearchParams(query)).pageOf('web')).toBe(1)
  },
)

it('links to the same view with changes, without parameters that it does not know', () => {
  const view = new ListView(
    new URLSearchParams('filter=w&sort=id&order=desc&page-web=3&page-api=x&evil=1&page-=2'),
  )
  expect(view.pageOf('web')).toBe(3)
  expect(view.query()).toBe('?filter=w&sort=id&order=desc&page-web=3')
  expect(view.query({ 'page-web': '2', sort: undefined, a: '&' })).toBe(
    '?filter=w&order=desc&page-web=2&a=%26',
  )
})

it('sorts by a column the other way round when it already does, and numbers from the largest', () => {
  const view = new ListView(new URLSearchParams('sort=id'))
  expect(view.sortedBy('id')).toBe('?sort=id&order=desc')
  expect(view.sortedBy('requests')).toBe('?sort=requests&order=desc')
  expect(new ListView(new URLSearchParams('sort=requests&order=desc')).sortedBy('requests')).toBe(
    '?sort=requests',
  )
})
