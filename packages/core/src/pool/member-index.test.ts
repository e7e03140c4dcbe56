import { expect, it } from 'vitest'
import { LivePool } from './live-pool.ts'
import { parseBackend } from './backend.ts'
import { MemberIndex } from './member-index.ts'
import { backend, optionOf } from './pool.fixture.ts'

function indexOf(): MemberIndex {
  const { members } = new LivePool('p', [backend('a', { aliases: ['s1|x', 'one'] }), backend('b')])
  const index = new MemberIndex()
  index.set(new Map(members.map(member => [member.backend.id, member])))
  return index
}

it('finds a member by its id, and by its aliases where an alias counts', () => {
  const index = indexOf()
  expect(index.list.map(member => member.backend.id)).toEqual(['a', 'b'])
  expect(['a', 's1|x', 'one', 'c'].map(word => index.named(word)?.backend.id)).toEqual([
    'a',
    'a',
    'a',
    undefined,
  ])
  expect(index.find('one')).toBeUndefined()
  expect(() => index.get('one')).toThrow('the id of a backend of the pool')
  index.set(new Map([...index.byId].slice(1)))
  expect([index.named('one'), index.list.length]).toEqual([undefined, 1])
})

it.each([
  ['c', [], 'accepted'],
  ['c', ['two'], 'accepted'],
  ['a', [], 'backend.id'],
  ['one', [], 'backend.id'],
  ['c', ['two', 'b'], 'backend.aliases[1]'],
  ['c', ['one'], 'backend.aliases[0]'],
  ['c', ['c'], 'backend.aliases[0]'],
  ['c', ['two', 'three', 'two'], 'backend.aliases[2]'],
])('a new backend %s with the aliases %j: %s', (id, aliases, option) => {
  expect(optionOf(() => indexOf().check({ ...parseBackend('backend', backend(id)), aliases }))).toBe(option)
})
