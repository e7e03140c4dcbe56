import { expect, it } from 'vitest'
import type { Reply } from './capture.ts'
import { type Expectation, expectReply } from './expectation.ts'

const NONE: Expectation = { statuses: ['2xx', 404], headers: [], body: undefined, json: [] }

function meet(expected: Partial<Expectation>, reply: Partial<Reply> = {}): void {
  const whole: Reply = {
    status: 200,
    text: '{"user":"u7","list":[1]}',
    header: name => (name === 'x-a' ? 'one' : undefined),
    cookie: () => undefined,
    ...reply,
  }
  expectReply({ ...NONE, ...expected }, whole, new Map([['session', 'u7']]))
}

it.each([200, 299, 404])('takes the status %d', status => {
  expect(() => meet({}, { status })).not.toThrow()
})

it.each([
  [503, 'status'],
  [429, 'status'],
  [302, 'unexpected'],
  [401, 'unexpected'],
])('takes the status %d for a failure of the kind %s', (status, kind) => {
  expect(() => meet({}, { status })).toThrow(
    expect.objectContaining({ kind, message: `status ${status} instead of 2xx or 404` }),
  )
})

it('takes a reply that has all of it', () => {
  const json = [
    ['user', '{{session}}'],
    ['list.0', 1],
  ] as const
  expect(() => meet({ headers: [['x-a', /^one$/]], body: /u\d/, json })).not.toThrow()
})

it.each<[Partial<Expectation>, string]>([
  [{ headers: [['x-a', /two/]] }, 'header x-a is one, not two'],
  [{ headers: [['x-b', /./]] }, 'header x-b is , not .'],
  [{ body: /logged out/ }, 'body has no logged out'],
  [{ json: [['user', 'u8']] }, 'user is "u7", not "u8"'],
  [{ json: [['gone', null]] }, 'gone is missing, not null'],
  [{ body: new RegExp('x'.repeat(90)) }, `body has no ${'x'.repeat(80)}…`],
])('takes no other: %o', (expected, message) => {
  expect(() => meet(expected)).toThrow(message)
})
