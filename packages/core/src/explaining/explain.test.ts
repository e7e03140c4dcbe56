import { describe, expect, it } from 'vitest'
import { affinityOf, cookiesOf, leaseOf, START, visit } from '../affinity.fixture.ts'
import type { Affinity } from '../affinity.ts'
import type { AffinityOptions } from '../affinity-options.ts'
import type { AffinityPolicy } from '../policies/policy.ts'
import { MemoryStore } from '../policies/store/memory-store.ts'
import { request } from '../request.fixture.ts'
import type { Explanation } from './explanation.ts'

function explain(affinity: Affinity, cookie?: string): Explanation {
  const explained = affinity.explain(request(cookie))
  if (explained instanceof Promise) throw new Error('needs no promise')
  return explained
}

describe('explain', () => {
  it('names the key that decides, and shows none of its value in full', () => {
    const affinity = affinityOf('ab')
    const { a = '' } = cookiesOf(affinity)
    const explained = explain(affinity, a)
    expect(explained).toMatchObject({
      backend: 'a',
      status: 'matched',
      by: 'key',
      reason: 'the key of the cookie policy names a, which can take the request',
      policies: [
        {
          policy: 'cookie',
          keys: [
            {
              claim: 'backend',
              backend: 'a',
              field: 'cookie SERVERID',
              format: 'signed',
              note: 'it is good',
            },
          ],
        },
      ],
    })
    const [, value = ''] = a.split('=')
    expect(JSON.stringify(explained)).not.toContain(value.slice(0, 12))
  })

  it.each<[string, (affinity: Affinity) => void, string, string]>([
    ['down', ({ pool }) => pool.setHealthy('a', false), 'down', "the session's backend a is down"],
    [
      'in maintenance',
      ({ pool }) => pool.setState('a', 'maint'),
      'maint',
      "the session's backend a is in maintenance",
    ],
    ['full', affinity => void leaseOf(affinity), 'full', "the session's backend a is full"],
  ])('tells that the backend of the session is %s', (_, change, obstacle, reason) => {
    const affinity = affinityOf('ab', { maxInFlight: 1 })
    const { a = '' } = cookiesOf(affinity)
    affinity.pool.setState('b', 'drain')
    change(affinity)
    affinity.pool.setState('b', 'ready')
    const explained = explain(affinity, a)
    expect(explained).toMatchObject({ backend: 'b', status: 'unavailable', by: 'balancer' })
    expect(explained.policies[0]?.keys[0]).toMatchObject({ backend: 'a', obstacle })
    expect(explained.reason).toBe(`${reason}, so round-robin gives it b`)
    expect(explained.backends.find(({ id }) => id === 'a')).toEqual({ id: 'a', candidate: false, obstacle })
  })

  it('tells a removed backend from a key that names none', () => {
    const affinity = affinityOf('ab', { affinity: [{ cookie: { opaque: false } }] })
    const { a = '' } = cookiesOf(affinity)
    affinity.pool.remove('a')
    expect(explain(affinity, a)).toMatchObject({
      status: 'unknown',
      reason: 'the key names no backend of the pool, so round-robin gives it b',
      policies: [{ keys: [{ claim: 'unknown', note: 'the backend that it names is not in the pool' }] }],
    })
  })

  it.each<[string, string | undefined, string, string]>([
    ['no cookie', undefined, 'none', 'the request has no such cookie'],
    ['another value', 'SERVERID=w1', 'invalid', 'it is no value of limpet, and in no format of accept'],
    [
      'a forged value',
      `SERVERID=v1.${'x'.repeat(16)}.${'y'.repeat(43)}`,
      'invalid',
      'none of the secrets of this pool has signed it',
    ],
  ])('tells the note of %s', (_, cookie, claim, note) => {
    const explained = explain(affinityOf('ab'), cookie)
    expect(explained.policies).toMatchObject([{ policy: 'cookie', keys: [{ claim, note }] }])
    expect(explained).toMatchObject({ status: claim, by: 'balancer' })
  })

  it('tells which of the two times of a cookie is over', () => {
    let now = START
    const affinity = affinityOf('a', {
      now: () => now,
      affinity: [{ cookie: { maxIdle: '10m', maxLife: '1h' } }],
    })
    const { told = '' } = visit(affinity)
    now += 11 * 60_000
    expect(explain(affinity, told).policies[0]?.keys[0]).toMatchObject({
      claim: 'expired',
      note: 'its maxIdle is over',
    })
    now += 3_600_000
    expect(explain(affinity, told).policies[0]?.keys[0]?.note).toBe('its maxLife is over')
  })

  it('tells that an older secret has signed a cookie', () => {
    const older = 'an older secret of the same pool, long enough'
    const { told = '' } = visit(affinityOf('a', { secrets: [older] }))
    const newer = affinityOf('a', { secrets: ['a newer secret of the same pool, long enough', older] })
    expect(explain(newer, told).policies[0]?.keys[0]?.note).toBe(
      'an older secret has signed it, so it is renewed',
    )
  })

  it.each<[string, NonNullable<AffinityOptions['balance']>]>([
    ['round-robin', 'round-robin'],
    ['least-requests', 'least-requests'],
    ['first', 'first'],
    ['hash', { hash: 'path' }],
  ])('foretells the choice of %s again and again, and takes none of its turns', (_, balance) => {
    const affinity = affinityOf('abc', { affinity: [], balance })
    const twin = affinityOf('abc', { affinity: [], balance })
    for (let turn = 0; turn < 7; turn += 1) {
      if (turn === 3) for (const { pool } of [affinity, twin]) pool.setWeight('b', 2)
      const foretold = [explain(affinity).backend, explain(affinity).backend]
      const { backend } = visit(affinity)
      expect(foretold).toEqual([backend, backend])
      expect(visit(twin).backend).toBe(backend)
    }
  })

  it('does not guess a draw', () => {
    expect(explain(affinityOf('ab', { affinity: [], balance: 'random' }))).toMatchObject({
      backend: undefined,
      by: 'balancer',
      reason: 'the request has no key, so random draws a backend when the request comes',
    })
  })

  it("does not ask an application's balancer", () => {
    let asked = 0
    const balance = { name: 'own', pick: (all: readonly unknown[]) => ((asked += 1), all[0] as undefined) }
    expect(explain(affinityOf('ab', { affinity: [], balance })).backend).toBeUndefined()
    expect(asked).toBe(0)
  })

  it('changes nothing', () => {
    const affinity = affinityOf('ab')
    const { a = '' } = cookiesOf(affinity)
    const before = structuredClone(affinity.stats())
    for (const cookie of [undefined, a, 'SERVERID=x']) explain(affinity, cookie)
    expect(affinity.stats()).toEqual(before)
  })

  it('leaves the trial of an ejected backend to a request', () => {
    let now = START
    const affinity = affinityOf('ab', {
      now: () => now,
      affinity: [],
      passive: { fall: 1, retryAfter: '1s' },
    })
    const lease = leaseOf(affinity)
    lease.failed({ kind: 'unreached', slow: false, cause: new Error('refused') })
    lease.release()
    const ejected = lease.backend.id
    expect(explain(affinity).backends).toContainEqual({ id: ejected, candidate: false, obstacle: 'ejected' })
    now += 2000
    for (let look = 0; look < 3; look += 1)
      expect(explain(affinity).backends).toContainEqual({ id: ejected, candidate: true })
  })

  it('looks a learned session up without using it', async () => {
    const store = new MemoryStore({ maxEntries: 2 })
    const affinity = affinityOf('ab', { affinity: [{ learn: { cookie: 'sid', store } }] })
    store.set('one', 'a', 60_000)
    store.set('two', 'b', 60_000)
    const explained = await affinity.explain(request('sid=one'))
    expect(explained).toMatchObject({ backend: 'a', by: 'key', policies: [{ policy: 'learn' }] })
    // The least recently used of the two is still `one`.
    store.set('three', 'a', 60_000)
    expect([store.get('one'), store.get('two')]).toEqual([undefined, 'b'])
  })

  it('reads a policy of the user, and tells of one that fails', () => {
    const own: AffinityPolicy = { name: 'own', read: () => ({ kind: 'backend', id: 'b' }) }
    const failing: AffinityPolicy = {
      read: () => {
        throw new Error('broken')
      },
    }
    expect(explain(affinityOf('ab', { affinity: [failing, own] }))).toMatchObject({
      backend: 'b',
      policies: [
        {
          policy: 'custom',
          keys: [{ claim: 'none', note: 'the policy has failed, so it counts as without a key' }],
        },
        { policy: 'own', keys: [{ claim: 'backend', backend: 'b' }] },
      ],
    })
  })

  it('tells that a request waits, is refused, or is ignored', () => {
    const waiting = affinityOf('a', { affinity: [], waitForBackend: '5s' })
    waiting.pool.setHealthy('a', false)
    expect(explain(waiting)).toMatchObject({
      by: 'none',
      waits: { timeoutMs: 5000 },
      reason: 'the request has no key, so the request waits for a backend',
    })
    const none = affinityOf('a')
    none.pool.setState('a', 'maint')
    expect(explain(none).reason).toBe('the request has no key, and no backend may take the request: 503')
    expect(none.explain(request(undefined, { method: 'CONNECT' }))).toMatchObject({
      error: { statusCode: 501 },
    })
    const { a = '' } = cookiesOf(affinityOf('ab'))
    expect(explain(affinityOf('ab', { ignore: [{ path: '/' }] }), a)).toMatchObject({
      policies: [],
      status: 'none',
    })
  })

  it('tells why each backend takes no new session', () => {
    const affinity = affinityOf('abcdef', { affinity: [] })
    const { pool } = affinity
    pool.setWeight('b', 0)
    pool.setState('c', 'drain')
    pool.setSelfDraining('d', true)
    pool.setBackup('e', true)
    pool.setHealthy('f', false)
    expect(explain(affinity).backends).toEqual([
      { id: 'a', candidate: true },
      { id: 'b', candidate: false, obstacle: 'weight-0' },
      { id: 'c', candidate: false, obstacle: 'drain' },
      { id: 'd', candidate: false, obstacle: 'self-drain' },
      { id: 'e', candidate: false, obstacle: 'backup' },
      { id: 'f', candidate: false, obstacle: 'down' },
    ])
  })
})
