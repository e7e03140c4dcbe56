import { expect, test } from 'vitest'
import { type Capture, type Reply, valuesOf } from './capture.ts'

const reply: Reply = {
  status: 200,
  text: '{"backend":"shop1","items":["apple",{"n":2}],"cart":{"count":3},"none":null}',
  header: name => (name.toLowerCase() === 'x-served-by' ? 'shop1' : undefined),
  cookie: name => (name === 'SERVERID' ? 's1' : undefined),
}

const CASES: readonly (readonly [Capture, readonly string[]])[] = [
  [{ from: 'header', name: 'X-Served-By' }, ['shop1']],
  [{ from: 'header', name: 'X-Other' }, []],
  [{ from: 'cookie', name: 'SERVERID' }, ['s1']],
  [{ from: 'json', name: 'items' }, ['apple', '{"n":2}']],
  [{ from: 'json', name: 'items[1].n' }, ['2']],
  [{ from: 'json', name: 'cart.count' }, ['3']],
  [{ from: 'json', name: 'none' }, []],
  [{ from: 'json', name: 'constructor' }, []],
  [{ from: 'body', pattern: /"(apple|shop\d)"/gu }, ['shop1', 'apple']],
]

test.each(CASES)('%j finds %j', (capture, values) => {
  expect(valuesOf(capture, reply)).toEqual(values)
})

test('finds nothing in a body that is no JSON', () => {
  expect(valuesOf({ from: 'json', name: 'a' }, { ...reply, text: '<html>' })).toEqual([])
})
