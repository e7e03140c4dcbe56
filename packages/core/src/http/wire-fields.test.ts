import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { fieldValue, isAsRead, isCutToFirst, parsedFields, wireFields } from './wire-fields.ts'

it('collects the lines of each name, spelled as in the first', () => {
  const fields = wireFields(['X-A', '1', 'Host', 'a', 'x-a', '2', 'last'])
  expect([...fields]).toEqual([
    ['x-a', { name: 'X-A', values: ['1', '2'] }],
    ['host', { name: 'Host', values: ['a'] }],
  ])
})

/** The fields that Node's parser makes of header lines, by the method that it calls, which is not documented. */
function nodesFields(lines: readonly string[]): unknown {
  const message = new IncomingMessage(new Socket())
  const add = Reflect.get(message, '_addHeaderLines') as (...args: unknown[]) => void
  Reflect.apply(add, message, [lines, lines.length])
  return { ...message.headers }
}

it.each([
  'x-own',
  'cookie',
  'set-cookie',
  'host',
  'content-length',
  'user-agent',
  'accept',
  'etag',
  'server',
  'age',
  'date',
])('reads one line of %s, and two, as Node does', name => {
  for (const lines of [
    [name, '1'],
    [name, '1', name.toUpperCase(), '2'],
  ])
    expect(parsedFields(lines)).toEqual(nodesFields(lines))
})

it('reads a list that HTTP/2 has once', () => {
  expect([fieldValue('x-own', ['1', '2'], true), fieldValue('user-agent', ['1', '2'], true)]).toEqual([
    '1, 2',
    '1',
  ])
})

it.each<[string, readonly string[], string | string[] | undefined, boolean]>([
  ['x', ['1'], '1', true],
  ['x', ['1'], '2', false],
  ['x', ['1'], undefined, false],
  ['x', ['1', '2'], '1, 2', true],
  ['x', ['1', '2'], '1', false],
  ['user-agent', ['1', '2'], '1', true],
  ['user-agent', ['1', '2'], '1, 2', true],
  ['cookie', ['a=1', 'b=2'], 'a=1; b=2', true],
  ['set-cookie', ['1', '2'], ['1', '2'], true],
  ['set-cookie', ['1'], '1', false],
  ['set-cookie', ['1', '2'], ['2', '1'], false],
  ['x', ['1', '2'], ['1', '2'], false],
])(
  'tells that the value of %s, of the lines %j, is as read when it is %j: %s',
  (lower, values, value, is) => {
    expect(isAsRead(lower, values, value, false)).toBe(is)
  },
)

it.each([
  ['user-agent', ['1', '2'], '1', true],
  ['user-agent', ['1', '2'], '2', false],
  ['user-agent', ['1'], '1', false],
  ['if-match', ['1', '2'], '1', false],
  ['host', ['1', '2'], '1', false],
  ['content-length', ['1', '2'], '1', false],
])('tells that %s, of the lines %j, was cut to %j: %s', (lower, values, value, is) => {
  expect(isCutToFirst(lower, values, value)).toBe(is)
})
