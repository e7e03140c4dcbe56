import { expect, it } from 'vitest'
import type { AffinityPolicy, Claim } from '../policies/policy.ts'
import { request } from '../request.fixture.ts'
import { claimsOf, explainKeys } from './explained-keys.ts'

const TO_A: Claim = { kind: 'backend', id: 'a' }
const FAILED = {
  claim: { kind: 'none' },
  note: 'the policy has failed, so it counts as without a key',
}

function policy(read: AffinityPolicy['read'], more: Partial<AffinityPolicy> = {}): AffinityPolicy {
  return { read, ...more }
}

it('has one key for each claim, or one for none, and the words of a policy that explains itself', () => {
  const read = explainKeys(
    [
      policy(() => TO_A, { name: 'own' }),
      policy(() => []),
      policy(() => TO_A, { explain: () => [{ claim: TO_A, note: 'it is good' }] }),
    ],
    request(),
  )
  expect(read).toEqual([
    { policy: 'own', keys: [{ claim: TO_A }] },
    { policy: 'custom', keys: [{ claim: { kind: 'none' } }] },
    { policy: 'custom', keys: [{ claim: TO_A, note: 'it is good' }] },
  ])
  expect(claimsOf(read as Exclude<typeof read, Promise<unknown>>)).toEqual([
    [TO_A],
    [{ kind: 'none' }],
    [TO_A],
  ])
})

it('waits only for a policy that asks a store, and goes on without one that fails', async () => {
  const fail = (): never => {
    throw new Error('no')
  }
  expect(explainKeys([policy(fail)], request())).toEqual([{ policy: 'custom', keys: [FAILED] }])
  const read = explainKeys(
    [policy(() => TO_A), policy(async () => TO_A), policy(async () => fail())],
    request(),
  )
  expect(read).toBeInstanceOf(Promise)
  expect((await read).map(({ keys }) => keys)).toEqual([[{ claim: TO_A }], [{ claim: TO_A }], [FAILED]])
})
