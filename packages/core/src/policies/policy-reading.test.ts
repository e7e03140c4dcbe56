import { describe, expect, it } from 'vitest'
import type { RequestHead } from '../head.ts'
import type { AffinityPolicy, Claims } from './policy.ts'
import { readPolicies } from './policy-reading.ts'
import { LivePool } from '../pool/live-pool.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

const POOL = new LivePool('p', [])
const A: Claims = { kind: 'backend', id: 'a' }
const EXPIRED: Claims = [{ kind: 'expired' }, { kind: 'invalid' }]
const NONE: Claims = { kind: 'none' }

const policy = (read: AffinityPolicy['read']): AffinityPolicy => ({ name: 'p', read })
const later = (claims: Claims) => policy(() => Promise.resolve(claims))
const fails = policy(() => {
  throw new Error('no store')
})
const failsLater = policy(() => Promise.reject(new Error('no store')))

describe('the claims of policies', () => {
  it('is there at once when none of them has to ask elsewhere', () => {
    expect(readPolicies(POOL, [policy(() => A), policy(() => EXPIRED)], BARE_REQUEST)).toEqual([A, EXPIRED])
    expect(readPolicies(POOL, [], BARE_REQUEST)).toEqual([])
  })

  it.each<[string, AffinityPolicy[], Claims[]]>([
    ['the first of them asks', [later(A), policy(() => EXPIRED)], [A, EXPIRED]],
    ['the last of them asks', [policy(() => EXPIRED), later(A)], [EXPIRED, A]],
    ['all of them ask', [later(EXPIRED), later(A)], [EXPIRED, A]],
  ])('keeps their order when %s elsewhere', async (_, policies, expected) => {
    const read = readPolicies(POOL, policies, BARE_REQUEST)
    expect(read).toBeInstanceOf(Promise)
    expect(await read).toEqual(expected)
  })

  it('is asked of all at once, and of each with the request', async () => {
    const asked: RequestHead[] = []
    const asking = policy(async request => {
      asked.push(request)
      return Promise.resolve(A)
    })
    const read = readPolicies(POOL, [asking, asking, asking], BARE_REQUEST)
    expect(asked).toEqual([BARE_REQUEST, BARE_REQUEST, BARE_REQUEST])
    await read
  })

  it('is nothing where one fails, and the others are read all the same', async () => {
    expect(readPolicies(POOL, [fails, policy(() => A)], BARE_REQUEST)).toEqual([NONE, A])
    expect(await readPolicies(POOL, [failsLater, fails, later(A)], BARE_REQUEST)).toEqual([NONE, NONE, A])
  })
})
