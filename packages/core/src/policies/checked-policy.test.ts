import { expect, it } from 'vitest'
import { checkedPolicy, isPolicy } from './checked-policy.ts'

const read = (): [] => []

it('gives back the object of the user, which may be of a class', () => {
  class Own {
    readonly name = 'own'
    readonly forwardHeaders = { 'x-key': (value: string): string => value }
    read(): [] {
      return []
    }
  }
  const own = new Own()
  expect(checkedPolicy('affinity', own)).toBe(own)
  expect([isPolicy(own), isPolicy({ cookie: {} }), isPolicy(null)]).toEqual([true, false, false])
})

it('names every member that is wrong', () => {
  const wrong = { read: 1, write: 'x', name: 7, forwardHeaders: { 'x-key': 'x' } }
  const check = (): unknown => checkedPolicy('affinity[0]', wrong)
  for (const member of ['read', 'write', 'name', 'forwardHeaders.x-key'])
    expect(check).toThrow(`affinity[0].${member}`)
})

it.each(['X-Key', 'a b', 'host', 'connection', 'content-length', 'x-forwarded-for', 'forwarded'])(
  'lets no policy forward %s',
  name => {
    const forwardHeaders = { [name]: (value: string) => value }
    expect(() => checkedPolicy('affinity', { read, forwardHeaders })).toThrow('affinity.forwardHeaders')
  },
)

it.each([undefined, null, 'cookie', {}])('takes no %j', value => {
  expect(() => checkedPolicy('affinity', value)).toThrow('an object with read')
})
