import { describe, expect, it } from 'vitest'
import { type Affinity, createAffinity } from '../affinity.ts'
import { requestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import type { AffinityPolicy, Claim } from './policy.ts'

const REQUEST = requestHead({
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'a'],
  headers: { host: 'a' },
  socket: {},
})

/** Notes the calls of a policy that reads `claim`. */
function noted(claim: Claim): { calls: string[]; policy: AffinityPolicy } {
  const calls: string[] = []
  return {
    calls,
    policy: {
      read: () => claim,
      responded: ({ matched }) => void calls.push(`responded ${matched}`),
      write: ({ matched }) => void calls.push(`write ${matched}`),
    },
  }
}

function leaseOf(affinity: Affinity): Lease {
  const lease = affinity.select(REQUEST)
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

function respond(policy: AffinityPolicy, statusCode = 200): void {
  const backends = [
    { id: 'a', url: 'http://a.test' },
    { id: 'b', url: 'http://b.test' },
  ]
  leaseOf(createAffinity({ backends, affinity: [policy], retryOn: [500] })).responded({
    statusCode,
    headers: {},
  })
}

describe('the key of a session is written', () => {
  it.each<[string, Claim, string[]]>([
    ['a client without one', { kind: 'none' }, ['responded false', 'write false']],
    ['a client with an expired one', { kind: 'expired' }, ['responded false', 'write false']],
    ['a session that has moved', { kind: 'backend', id: 'gone' }, ['responded false', 'write false']],
    [
      'one that is to be renewed',
      { kind: 'backend', id: 'b', renew: true },
      ['responded true', 'write true'],
    ],
  ])('for %s', (_, claim, expected) => {
    const { calls, policy } = noted(claim)
    respond(policy)
    expect(calls).toEqual(expected)
  })

  it('not for a client that has it', () => {
    const { calls, policy } = noted({ kind: 'backend', id: 'b' })
    respond(policy)
    expect(calls).toEqual(['responded true'])
  })

  it('not by a response that is a failure, unless its session is there', () => {
    const stranger = noted({ kind: 'none' })
    respond(stranger.policy, 500)
    const known = noted({ kind: 'backend', id: 'b', renew: true })
    respond(known.policy, 500)
    expect([stranger.calls, known.calls]).toEqual([[], ['responded true', 'write true']])
  })
})
