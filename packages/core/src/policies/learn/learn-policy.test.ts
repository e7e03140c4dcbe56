import { describe, expect, it } from 'vitest'
import type { Failure } from '../../failure.ts'
import type { Lease } from '../../lease.ts'
import type { Backend } from '../../pool/backend.ts'
import { affinityOf, ask, begin, select } from './learn-policy.fixture.ts'

const UNREACHED = { kind: 'unreached', slow: false, cause: undefined } as const

/** Reports a failure, and asks for the backend of the next attempt. */
function redispatch(lease: Lease, failure: Failure): Backend | undefined {
  lease.failed(failure)
  return lease.next(failure)
}

describe('the learn policy', () => {
  it('brings a session to the backend that began it [LB096]', async () => {
    const affinity = affinityOf()
    const homes = [await begin(affinity, 'value1'), await begin(affinity, 'value2')]
    expect(homes).toEqual(['a', 'b'])
    for (let count = 0; count < 4; count += 1) {
      expect(await ask(affinity, { cookie: 'x=1; sid=value1' })).toEqual(['a', 'matched'])
      expect(await ask(affinity, { cookie: 'sid="value2"' })).toEqual(['b', 'matched'])
    }
  })

  it('balances an id that the application has not given out, and learns nothing from clients [LB095] [LB097] [T-24]', async () => {
    const affinity = affinityOf()
    const asked = [1, 2, 3, 4, 5, 6].map(async () => ask(affinity, { cookie: 'sid=absent' }))
    const found = await Promise.all(asked)
    expect(found.map(([id]) => id).toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
    expect(new Set(found.map(([, status]) => status))).toEqual(new Set(['unknown']))
  })

  it('moves a session with the answer of another backend, and stays there [LB098] [LB099]', async () => {
    const affinity = affinityOf()
    const home = await begin(affinity, 's')
    const lease = await select(affinity, { cookie: 'sid=s' })
    const next = redispatch(lease, UNREACHED)?.id
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
    expect(next).not.toBe(home)
    expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([next, 'matched'])
  })

  it('leaves a session where it has moved while a request of it was in flight', async () => {
    const affinity = affinityOf()
    const home = await begin(affinity, 's')
    const inFlight = await select(affinity, { cookie: 'sid=s' })
    const moving = await select(affinity, { cookie: 'sid=s' })
    const next = redispatch(moving, UNREACHED)?.id
    moving.responded({ statusCode: 200, headers: {} })
    moving.release()
    expect(inFlight.backend.id).toBe(home)
    inFlight.responded({ statusCode: 200, headers: {} })
    inFlight.release()
    expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([next, 'matched'])
  })

  it('renews a session by use [LB100]', async () => {
    const clock = { ms: 0 }
    const affinity = affinityOf({ clock })
    const home = await begin(affinity, 's')
    for (clock.ms = 500; clock.ms <= 6_000; clock.ms += 500) {
      expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([home, 'matched'])
    }
  })

  it('forgets a session that is not used [LB101]', async () => {
    const clock = { ms: 0 }
    const affinity = affinityOf({ clock })
    await begin(affinity, 's')
    clock.ms = 2_100
    expect((await ask(affinity, { cookie: 'sid=s' }))[1]).toBe('unknown')
    const again = await begin(affinity, 's')
    expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([again, 'matched'])
  })

  it('lets a session expire when the application responds with another id [LB102]', async () => {
    const clock = { ms: 0 }
    const affinity = affinityOf({ clock })
    await begin(affinity, 'old')
    for (clock.ms = 500; clock.ms < 2_000; clock.ms += 500) {
      await ask(affinity, { cookie: 'sid=old' }, { 'set-cookie': [`sid=new-${clock.ms}`] })
    }
    clock.ms = 2_000
    expect((await ask(affinity, { cookie: 'sid=old' }))[1]).toBe('unknown')
    expect((await ask(affinity, { cookie: 'sid=new-1500' }))[1]).toBe('matched')
  })

  it('forgets a session that the application ends', async () => {
    const affinity = affinityOf()
    await begin(affinity, 's')
    await ask(affinity, { cookie: 'sid=s' }, { 'set-cookie': ['sid=; Max-Age=0'] })
    expect((await ask(affinity, { cookie: 'sid=s' }))[1]).toBe('unknown')
  })

  it('learns the id that an application gives out as it takes the old one back', async () => {
    const affinity = affinityOf()
    const home = await begin(affinity, 'old')
    await ask(affinity, { cookie: 'sid=old' }, { 'set-cookie': ['sid=; Max-Age=0', 'sid=new'] })
    expect((await ask(affinity, { cookie: 'sid=old' }))[1]).toBe('unknown')
    expect(await ask(affinity, { cookie: 'sid=new' })).toEqual([home, 'matched'])
  })

  it('learns from a header field, and finds it in one', async () => {
    const affinity = affinityOf({ learn: { header: 'Mcp-Session-Id' } })
    const [home] = await ask(affinity, {}, { 'mcp-session-id': 's1' })
    expect(await ask(affinity, { 'mcp-session-id': 's1' })).toEqual([home, 'matched'])
  })

  it('finds the id that a servlet container has written into the path [LB199]', async () => {
    const affinity = affinityOf({ learn: { cookie: 'JSESSIONID', lookup: ['cookie', 'path-parameter'] } })
    const given = { 'set-cookie': ['JSESSIONID=abc; Path=/'] }
    const [home] = await ask(affinity, {}, given)
    await ask(affinity, {}, { 'set-cookie': ['JSESSIONID=other'] })
    for (let count = 0; count < 4; count += 1)
      expect(await ask(affinity, {}, {}, '/cart;jsessionid=abc?a')).toEqual([home, 'matched'])
  })

  it('looks in the configured places, in that order', async () => {
    const affinity = affinityOf({ learn: { cookie: 'sid', lookup: ['cookie', 'query', 'header:X-Session'] } })
    const homes = [await begin(affinity, 's1'), await begin(affinity, 's2')]
    expect(await ask(affinity, {}, {}, '/?sid=s1')).toEqual([homes[0], 'matched'])
    expect(await ask(affinity, { 'x-session': 's2' })).toEqual([homes[1], 'matched'])
    expect(await ask(affinity, { cookie: 'sid=s2' }, {}, '/?sid=s1')).toEqual([homes[1], 'matched'])
    expect(await ask(affinity, { cookie: 'sid=gone' }, {}, '/?sid=s1')).toEqual([homes[0], 'matched'])
  })

  it('places a session anew whose backend has left the pool', async () => {
    const affinity = affinityOf()
    const home = await begin(affinity, 's')
    affinity.pool.remove(home)
    const [next, status] = await ask(affinity, { cookie: 'sid=s' })
    expect(status).toBe('unknown')
    expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([next, 'matched'])
  })

  it('moves the one of several sessions that it knows, when its backend cannot be used', async () => {
    const affinity = affinityOf()
    affinity.pool.setState(await begin(affinity, 's'), 'maint')
    const [next, status] = await ask(affinity, { cookie: 'sid=gone; sid=s' })
    expect(status).toBe('unavailable')
    expect(await ask(affinity, { cookie: 'sid=s' })).toEqual([next, 'matched'])
  })

  it('tells the client nothing, whether it knows the id or not [T-25]', async () => {
    const affinity = affinityOf()
    await begin(affinity, 's')
    for (const sid of ['s', 'absent']) {
      const lease = await select(affinity, { cookie: `sid=${sid}` })
      expect(lease.responded({ statusCode: 200, headers: { etag: '1' } })).toEqual({ etag: '1' })
      lease.release()
    }
  })

  it('takes any number of ids of any length, and looks at few', async () => {
    const affinity = affinityOf()
    const home = await begin(affinity, 's')
    await begin(affinity, 'x'.repeat(2_000))
    expect((await ask(affinity, { cookie: `sid=${'x'.repeat(2_000)}` }))[1]).toBe('none')
    const many = Array.from({ length: 3_000 }, (_, number) => `sid=${number}`).join('; ')
    expect((await ask(affinity, { cookie: `${many}; sid=s` }))[1]).toBe('unknown')
    expect(await ask(affinity, { cookie: `sid=s; ${many}` })).toEqual([home, 'matched'])
  })

  it('finds the id that is known behind 50 others', async () => {
    const affinity = affinityOf()
    expect(await begin(affinity, 'known')).toBe('a')
    const others = Array.from({ length: 50 }, (_, n) => `sid=junk${n}; `).join('')
    expect(await ask(affinity, { cookie: `${others}sid=known` })).toEqual(['a', 'matched'])
  })

  it('remembers no more sessions than it may', async () => {
    const affinity = affinityOf({ learn: { cookie: 'sid', maxEntries: 10 } })
    for (let number = 0; number < 20; number += 1) await begin(affinity, `s-${number}`)
    const asked = Array.from({ length: 20 }, async (_, number) =>
      ask(affinity, { cookie: `sid=s-${number}` }),
    )
    expect((await Promise.all(asked)).filter(([, status]) => status === 'matched')).toHaveLength(10)
  })
})
