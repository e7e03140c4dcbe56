import { expect, it } from 'vitest'
import { BARE_REQUEST } from '../request.fixture.ts'
import { fieldForwarding } from './field-forwarding.ts'
import type { AffinityPolicy } from './policy.ts'

function policyOf(forward: (value: string) => unknown): AffinityPolicy {
  return { read: () => [], forwardHeaders: { 'x-key': forward as (value: string) => string } }
}

function forwarded(
  value: string,
  policies: readonly AffinityPolicy[],
  users: readonly AffinityPolicy[] = [],
) {
  return fieldForwarding(policies, new Set(users)).byName.get('x-key')?.(value, BARE_REQUEST)
}

it('lets the policies change a field in turn, until nothing is left', () => {
  const [cut, drop] = [policyOf(value => value.slice(1)), policyOf(() => '')]
  const never = policyOf(() => {
    throw new Error('was asked')
  })
  expect(forwarded('abc', [cut, cut])).toBe('c')
  expect(forwarded('abc', [cut, drop, never])).toBe('')
  expect(forwarded('abc', [{ read: () => [] }])).toBeUndefined()
})

it.each([
  [undefined, 'returned no string'],
  [7, 'returned no string'],
  ['a\r\nb', 'returned a character that no field may have'],
  ['\u0100', 'returned a character that no field may have'],
])("refuses %j of a user's policy", (result, problem) => {
  const policy = policyOf(() => result)
  expect(() => forwarded('abc', [policy], [policy])).toThrow(
    `forwardHeaders.x-key cannot be sent: it ${problem}`,
  )
})

it('takes the value of the client as it is', () => {
  const policy = policyOf(value => value)
  expect(forwarded('\u0100', [policy], [policy])).toBe('\u0100')
})
