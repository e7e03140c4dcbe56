import { describe, expect, it } from 'vitest'
import type { AffinityStatus } from './counts/affinity-status.ts'
import type { MoveReason } from './counts/backend-counts.ts'
import type { BackendView } from './pool/backend-view.ts'
import type { Member } from './pool/member.ts'
import { poolOf } from './pool/pool.fixture.ts'
import { LeaseSession } from './session-report.ts'

interface Facts {
  readonly status?: AffinityStatus
  /** The backend of the decision. */
  readonly decided?: string
  readonly reason?: MoveReason
  readonly tried?: readonly string[]
}

/** The session of a request to which `b` responded, in a pool of three. */
function sessionOf({ status = 'none', decided = 'b', reason, tried = [] }: Facts) {
  const pool = poolOf('a', 'b', 'c')
  const viewOf = (id: string): Member => {
    const view = pool.members.find(({ backend }) => backend.id === id)
    if (view === undefined) throw new Error(`there is no ${id}`)
    return view
  }
  const decision = { view: viewOf(decided) as BackendView, status, claims: [], read: [] }
  const { counts } = viewOf('b')
  const session = new LeaseSession(pool, decision, viewOf('b'), counts, reason, tried.map(viewOf))
  return {
    session,
    started: () => counts.sessionsStarted,
    moved: (id: string) => ({ ...viewOf(id).counts.sessionsMoved }),
    ofRemoved: () => pool.counts.sessionsOfRemoved,
  }
}

const NONE = { failed: 0, drained: 0, full: 0, rebalanced: 0 }

describe('a session', () => {
  it('that starts is counted once', () => {
    const { session, started, moved } = sessionOf({})
    session.started()
    session.started()
    session.moved('a')
    expect([started(), moved('a')]).toEqual([1, NONE])
  })

  it('that another policy has matched does not start', () => {
    const { session, started } = sessionOf({ status: 'matched' })
    session.started()
    expect(started()).toBe(0)
  })

  it.each<[string, Facts, MoveReason]>([
    ['the reason of the decision', { status: 'unavailable', reason: 'drained' }, 'drained'],
    [
      'a failed attempt, whatever was decided',
      { status: 'matched', decided: 'a', reason: 'full', tried: ['a'] },
      'failed',
    ],
    ['a failure where no other reason is known', { status: 'none' }, 'failed'],
  ])('that moved is counted where it was, with %s', (_, facts, reason) => {
    const { session, moved } = sessionOf(facts)
    session.moved('a')
    session.moved('a')
    expect(moved('a')).toEqual({ ...NONE, [reason]: 1 })
  })

  it('of a backend that has left the pool is counted in the pool', () => {
    const { session, ofRemoved } = sessionOf({})
    session.moved('gone')
    expect(ofRemoved()).toBe(1)
    const unknown = sessionOf({})
    unknown.session.moved(undefined)
    expect(unknown.ofRemoved()).toBe(1)
  })

  it('whose other key has named this backend has not moved', () => {
    const { session, moved } = sessionOf({ status: 'matched' })
    session.moved('a')
    expect(moved('a')).toEqual(NONE)
  })
})
