import { expect, it } from 'vitest'
import { isConsequence, ProblemList, problemText } from './problem.ts'

it('names the place of a problem, unless it is the whole file', () => {
  expect([
    problemText({ path: 'pools.web', text: 'is missing' }),
    problemText({ path: '', text: 'no file' }),
  ]).toEqual(['pools.web is missing', 'no file'])
})

it.each([
  ['pools.web', true],
  ['pools.web.balance', true],
  ['pools.web[0]', true],
  ['pools', true],
  ['pools.website', false],
  ['pools.api', false],
  ['', false],
])('a problem at %j is one with that of pools.web: %s', (path, is) => {
  expect(isConsequence(path, [{ path: 'pools.web', text: 'x' }])).toBe(is)
})

it('keeps the first problem of each place, and of a table each of its own', () => {
  const list = new ProblemList()
  list.add('pools.web', 'first')
  list.add('pools.web.balance', 'a consequence')
  list.addAll([
    { option: 'pools.web', message: 'again' },
    { option: 'listen', message: 'one' },
    { option: 'listen.tls', message: 'two' },
    { option: 'listen', message: 'three' },
  ])
  expect(list.all.map(problemText)).toEqual(['pools.web first', 'listen one', 'listen.tls two'])
})
