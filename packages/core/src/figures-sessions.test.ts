import { describe, expect, it, onTestFinished } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import * as diagnostics from './diagnostics.ts'
import { affinityOf, backendOf, leaseOf, respond, SECRET, visit } from './figures.fixture.ts'
import { request } from './request.fixture.ts'
import type { AffinityPolicy } from './policies/policy.ts'

describe('sessions', () => {
  const moved = (affinity: Affinity, id: string) => backendOf(affinity, id).sessionsMoved

  it('counts a session when its key is written first, and not when it returns', async () => {
    const affinity = affinityOf('a')
    const cookie = await visit(affinity)
    await visit(affinity, cookie)
    await visit(affinity, cookie)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessionsStarted: 1, requests: 3 })
  })

  it('tells from the first minute how many sessions it has seen, and that it is an estimate', async () => {
    let now = 1_000_000_000_000
    const affinity = affinityOf('a', { affinity: [{ cookie: { maxLife: '1h' } }], now: () => now })
    await visit(affinity)
    await visit(affinity)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: 2, sessionsEstimated: true })
    now += 1_800_000
    await visit(affinity)
    now += 2_000_000
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: 1, sessionsEstimated: false })
  })

  it('knows no number where no policy counts', async () => {
    const affinity = affinityOf('a', { affinity: [{ route: { cookie: 'ROUTE' } }] })
    await visit(affinity)
    expect(backendOf(affinity, 'a')).toMatchObject({ sessions: undefined, sessionsStarted: 0 })
  })

  it.each<[reason: string, leave: (affinity: Affinity) => void]>([
    ['drained', affinity => affinity.pool.setState('a', 'maint')],
    ['failed', affinity => affinity.pool.setHealthy('a', false)],
  ])('counts a session that moves because its backend has %s', async (reason, leave) => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const events: unknown[] = []
    onTestFinished(diagnostics.onEvent('limpet:session-moved', event => events.push(event)))
    const cookie = await visit(affinity)
    leave(affinity)
    await visit(affinity, await visit(affinity, cookie))
    const none = { failed: 0, drained: 0, full: 0, rebalanced: 0 }
    expect(moved(affinity, 'a')).toEqual({ ...none, [reason]: 1 })
    expect(backendOf(affinity, 'b')).toMatchObject({ sessionsStarted: 0, sessionsMoved: none })
    expect(events).toEqual([{ pool: 'default', backend: 'b', from: 'a', reason }])
  })

  it('counts a session that moves because its request failed', async () => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const cookie = await visit(affinity)
    const lease = await leaseOf(affinity, cookie)
    const failure = { kind: 'unreached', slow: false, cause: new Error('refused') } as const
    lease.failed(failure)
    lease.next(failure)
    respond(lease)
    expect(moved(affinity, 'a')).toMatchObject({ failed: 1 })
  })

  it('counts a session that moves because its backend is full', async () => {
    const affinity = affinityOf('ab', { balance: 'first', maxInFlight: 1 })
    const cookie = await visit(affinity)
    const holding = await leaseOf(affinity, cookie)
    await visit(affinity, cookie)
    holding.release()
    expect(moved(affinity, 'a')).toMatchObject({ full: 1, failed: 0 })
  })

  it('counts a session that returns from a backup as rebalanced', async () => {
    const affinity = createAffinity({
      backends: [
        { id: 'a', url: 'http://a.test' },
        { id: 'b', url: 'http://b.test', backup: true },
      ],
      secrets: [SECRET],
      returnFromBackup: true,
    })
    affinity.pool.setHealthy('a', false)
    const cookie = await visit(affinity)
    affinity.pool.setHealthy('a', true)
    await visit(affinity, cookie)
    expect(moved(affinity, 'b')).toMatchObject({ rebalanced: 1 })
  })

  it('counts a session whose backend was removed, for the pool', async () => {
    const affinity = affinityOf('ab', { balance: 'first' })
    const cookie = await visit(affinity)
    affinity.pool.remove('a')
    await visit(affinity, cookie)
    expect(affinity.stats().sessionsOfRemoved).toBe(1)
    expect(backendOf(affinity, 'b').sessionsStarted).toBe(0)
  })

  it('counts learned sessions, and one that moves', async () => {
    const affinity = affinityOf('ab', { balance: 'first', affinity: [{ learn: { cookie: 'SID' } }] })
    await visit(affinity)
    await visit(affinity, undefined, { 'set-cookie': 'SID=1' })
    await visit(affinity, 'SID=1', { 'set-cookie': 'SID=1' })
    expect(backendOf(affinity, 'a')).toMatchObject({
      sessionsStarted: 1,
      sessions: 1,
      sessionsEstimated: false,
    })
    affinity.pool.setHealthy('a', false)
    await visit(affinity, 'SID=1')
    await visit(affinity, 'SID=1')
    expect(moved(affinity, 'a')).toMatchObject({ failed: 1 })
    expect(backendOf(affinity, 'b')).toMatchObject({ sessionsStarted: 0, sessions: 1 })
  })

  it('counts a session once where two policies have a key of it', async () => {
    const affinity = affinityOf('ab', {
      affinity: [{ cookie: {} }, { learn: { cookie: 'SID' } }],
      balance: 'first',
    })
    const cookie = await visit(affinity, undefined, { 'set-cookie': 'SID=1' })
    expect(cookie).toContain('SID=1')
    expect(backendOf(affinity, 'a').sessionsStarted).toBe(1)
  })

  describe('of a policy of a user', () => {
    /** A header names the backend; a value of no backend is no key any more. */
    const PIN: AffinityPolicy = {
      read: ({ headers: { 'x-pin': id } }) =>
        typeof id === 'string' ? { kind: id === 'gone' ? 'unknown' : 'backend', id } : { kind: 'none' },
      write({ backend }, fields) {
        fields['x-pin'] = backend.id
      },
    }

    async function pinned(affinity: Affinity, id?: string): Promise<void> {
      const head = request()
      const lease = await affinity.select(
        id === undefined
          ? head
          : {
              ...head,
              rawHeaders: [...head.rawHeaders, 'X-Pin', id],
              headers: { ...head.headers, 'x-pin': id },
            },
      )
      respond(lease)
    }

    it('counts a session that begins, and not when it returns', async () => {
      const affinity = affinityOf('a', { affinity: [PIN] })
      await pinned(affinity)
      await pinned(affinity, 'a')
      expect(backendOf(affinity, 'a').sessionsStarted).toBe(1)
    })

    it('counts a session that moves, with the reason', async () => {
      const affinity = affinityOf('ab', { affinity: [PIN], balance: 'first' })
      affinity.pool.setState('a', 'maint')
      await pinned(affinity, 'a')
      expect(moved(affinity, 'a')).toMatchObject({ drained: 1 })
      expect(backendOf(affinity, 'b').sessionsStarted).toBe(0)
    })

    it('counts a session whose backend has left the pool', async () => {
      const affinity = affinityOf('ab', { affinity: [PIN] })
      await pinned(affinity, 'gone')
      expect(affinity.stats().sessionsOfRemoved).toBe(1)
    })

    it('counts no session whose client got no key', async () => {
      const affinity = affinityOf('a', { affinity: [{ ...PIN, write: () => false }] })
      await pinned(affinity)
      expect(backendOf(affinity, 'a').sessionsStarted).toBe(0)
    })
  })
})
