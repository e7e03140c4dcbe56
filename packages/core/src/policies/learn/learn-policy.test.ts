import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Affinity, createAffinity } from '../../affinity.ts'
import type { AffinityOptions } from '../../affinity-options.ts'
import * as diagnostics from '../../diagnostics.ts'
import { type HeaderFields, type NodeRequest, requestHead } from '../../head.ts'
import type { Failure } from '../../failure.ts'
import type { Lease } from '../../lease.ts'
import type { Backend } from '../../pool/backend.ts'
import { OptionError } from '../../options/option.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { AffinityStore, SharedStore, StoreContext } from '../store/store.ts'
import type { LearnPolicyOptions } from './learn-options.ts'

const SECRET = 'learn-0123456789abcdefghijklmnopqrstuvwxyz'
const UNREACHED = { kind: 'unreached', slow: false, cause: undefined } as const

/** Reports a failure, and asks for the backend of the next attempt. */
function redispatch(lease: Lease, failure: Failure): Backend | undefined {
  lease.failed(failure)
  return lease.next(failure)
}

interface Facts {
  readonly learn?: LearnPolicyOptions
  readonly clock?: { ms: number }
  readonly more?: Partial<AffinityOptions>
}

function affinityOf({ learn = { cookie: 'sid', ttl: '2s' }, clock = { ms: 0 }, more }: Facts = {}): Affinity {
  return createAffinity({
    backends: ['a', 'b', 'c'].map(id => ({ id, url: `http://${id}.test:80` })),
    affinity: [{ learn }],
    now: () => clock.ms,
    ...more,
  })
}

async function select(affinity: Affinity, sent: Record<string, string> = {}, url = '/'): Promise<Lease> {
  const headers = { host: 'shop.test', ...sent }
  const message: NodeRequest = {
    method: 'GET',
    url,
    httpVersion: '1.1',
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: {},
  }
  return affinity.select(requestHead(message))
}

/** One exchange: its backend, and its affinity status. */
async function ask(
  affinity: Affinity,
  sent: Record<string, string> = {},
  answer: HeaderFields = {},
  url = '/',
): Promise<readonly [id: string, status: string]> {
  const lease = await select(affinity, sent, url)
  lease.responded({ statusCode: 200, headers: answer })
  lease.release()
  return [lease.backend.id, lease.status]
}

async function begin(affinity: Affinity, sid: string): Promise<string> {
  const [id] = await ask(affinity, {}, { 'set-cookie': [`sid=${sid}; Path=/`] })
  return id
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

describe('a store of the user', () => {
  function sharedStore(): AffinityStore & { readonly entries: Map<string, string> } {
    const entries = new Map<string, string>()
    return {
      entries,
      get: async key => entries.get(key),
      set: async (key, id) => void entries.set(key, id),
      delete: async key => void entries.delete(key),
    }
  }

  it('is shared by gateways that have the same secret', async () => {
    const store = sharedStore()
    const gateways = [1, 2].map(() =>
      affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } }),
    )
    const [here, there] = gateways as [Affinity, Affinity]
    const home = await begin(here, 's')
    await Promise.resolve()
    expect(await ask(there, { cookie: 'sid=s' })).toEqual([home, 'matched'])
    expect([...store.entries.keys()].join(' ')).not.toContain('sid')
  })

  it('is one for each pool and each name', async () => {
    const store = sharedStore()
    const here = { learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } }
    await begin(affinityOf(here), 's')
    const elsewhere = [
      affinityOf({ ...here, more: { secrets: [SECRET], name: 'other' } }),
      affinityOf({ ...here, learn: { cookie: 'other', lookup: ['cookie:sid'], store } }),
      affinityOf({ ...here, learn: { header: 'sid', lookup: ['cookie:sid'], store } }),
    ]
    const asked = await Promise.all(elsewhere.map(async affinity => ask(affinity, { cookie: 'sid=s' })))
    expect(asked.map(([, status]) => status)).toEqual(['unknown', 'unknown', 'unknown'])
    expect((await ask(affinityOf(here), { cookie: 'sid=s' }))[1]).toBe('matched')
  })

  it('hears nothing that is of no use', async () => {
    const store = sharedStore()
    const [get, set, remove] = [vi.spyOn(store, 'get'), vi.spyOn(store, 'set'), vi.spyOn(store, 'delete')]
    const affinity = affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } })
    await begin(affinity, 'x'.repeat(1_025))
    expect(set).not.toHaveBeenCalled()
    await begin(affinity, 's')
    await ask(affinity, { cookie: 'sid=s; sid=s; sid=""' })
    expect([get.mock.calls.length, set.mock.calls.length]).toEqual([1, 1])
    await ask(affinity, { cookie: 'sid=s' }, { 'set-cookie': ['sid=; Max-Age=0', 'sid=s'] })
    expect(remove).not.toHaveBeenCalled()
  })

  it('that is down costs sessions their backend, not their answer', async () => {
    const failed: unknown[] = []
    onTestFinished(diagnostics.onEvent('limpet:policy-failed', event => failed.push(event)))
    const error = new Error('down')
    const down = async (): Promise<never> => Promise.reject(error)
    const store = { get: down, set: down, delete: down }
    const affinity = affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } })
    expect((await ask(affinity, { cookie: 'sid=s' }, { 'set-cookie': ['sid=t'] }))[1]).toBe('unknown')
    await new Promise(setImmediate)
    expect(failed).toEqual([1, 2].map(() => ({ pool: 'default', policy: 'learn', error })))
  })

  it('may be the embedded one, which then outlives the affinity, and says how many sessions there are', async () => {
    const store = new MemoryStore()
    const learn = { cookie: 'sid', store }
    const id = await begin(affinityOf({ learn }), 's1')
    const next = affinityOf({ learn })
    expect(await ask(next, { cookie: 'sid=s1' })).toEqual([id, 'matched'])
    expect(next.pool.sessionsOf(id)).toBe(1)
    // It hashes for itself.
    expect(store.get('s1')).toBe(id)
  })

  it('that hangs is not waited for', async () => {
    const hang = async (): Promise<never> => Promise.withResolvers<never>().promise
    const store = { get: hang, set: hang, delete: hang }
    const learn = { cookie: 'sid', store, timeout: 20 } as const
    const affinity = affinityOf({ learn, more: { secrets: [SECRET] } })
    expect((await ask(affinity, { cookie: 'sid=s' }, { 'set-cookie': ['sid=t'] }))[1]).toBe('unknown')
  })

  it.each<[string, () => Promise<never>]>([
    ['rejects', async () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['hangs', async () => Promise.withResolvers<never>().promise],
  ])('that %s for one id still tells of the others', async (_, fail) => {
    const shared = sharedStore()
    const get = vi.spyOn(shared, 'get')
    const affinity = affinityOf({
      learn: { cookie: 'sid', store: shared, timeout: 20 },
      more: { secrets: [SECRET] },
    })
    const home = await begin(affinity, 's')
    get.mockImplementationOnce(fail)
    expect(await ask(affinity, { cookie: 'sid=other; sid=s' })).toEqual([home, 'matched'])
  })

  it('that answers at once is not waited for', () => {
    const entries = new Map<string, string>()
    const store: AffinityStore = {
      get: key => entries.get(key),
      set: (key, id) => entries.set(key, id),
      delete: key => entries.delete(key),
    }
    const affinity = affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } })
    const headers = { host: 'shop.test', cookie: 'sid=s' }
    const message = { method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders: [], socket: {} }
    expect(
      affinity.select(requestHead({ ...message, rawHeaders: Object.entries(headers).flat() })),
    ).not.toBeInstanceOf(Promise)
  })
})

describe('a store that hashes for itself', () => {
  it('is opened for its pool and policy, and gets ids as they are', async () => {
    const memory = new MemoryStore()
    const opened: StoreContext[] = []
    const store: SharedStore = {
      open(context) {
        opened.push(context)
        return memory
      },
    }
    const affinity = affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } })
    const home = await begin(affinity, 's')
    expect(opened).toMatchObject([{ pool: 'default', field: 'cookie/sid', names: [{}], ttlMs: 3_600_000 }])
    expect([memory.get('s'), affinity.pool.sessionsOf(home)]).toEqual([home, 1])
    const [names] = opened[0]?.names ?? []
    expect(names?.tags.idOf(names.tags.tagOf(home))).toBe(home)
  })

  it('may leave the count of sessions out', () => {
    const store: SharedStore = {
      open: () => ({ get: () => undefined, set: () => undefined, delete: () => undefined }),
    }
    const affinity = affinityOf({ learn: { cookie: 'sid', store }, more: { secrets: [SECRET] } })
    expect(affinity.pool.sessionsOf('a')).toBeUndefined()
  })
})

describe('options of learn', () => {
  const store = { get: () => undefined, set: () => undefined, delete: () => undefined }

  it.each<[string, object]>([
    ['affinity[0].learn', {}],
    ['affinity[0].learn', { cookie: 'a', header: 'b' }],
    ['affinity[0].learn.cookie', { cookie: 'a b' }],
    ['affinity[0].learn.header', { header: '' }],
    ['affinity[0].learn.lookup', { cookie: 'a', lookup: 'cookie' }],
    ['affinity[0].learn.lookup', { cookie: 'a', lookup: [] }],
    ['affinity[0].learn.lookup[1]', { cookie: 'a', lookup: ['cookie', 'body'] }],
    ['affinity[0].learn.ttl', { cookie: 'a', ttl: 0 }],
    ['affinity[0].learn.ttl', { cookie: 'a', ttl: '1 hour' }],
    ['affinity[0].learn.maxEntries', { cookie: 'a', maxEntries: 0 }],
    ['affinity[0].learn.maxEntries', { cookie: 'a', maxEntries: 5, store }],
    ['affinity[0].learn.store', { cookie: 'a', store: { get: 1 } }],
    ['affinity[0].learn.store', { cookie: 'a', store: null }],
    ['affinity[0].learn.timeout', { cookie: 'a', timeout: '1s' }],
    ['affinity[0].learn.timeout', { cookie: 'a', timeout: 0, store }],
    ['affinity[0].learn.timeout', { cookie: 'a', timeout: '1s', store: { open: () => store } }],
    ['secrets', { cookie: 'a', store }],
    ['secrets', { cookie: 'a', store: { open: () => store } }],
  ])('refuse a wrong %s: %j', (option, learn) => {
    expect(() => affinityOf({ learn })).toThrow(expect.objectContaining({ name: OptionError.name, option }))
  })

  it.each<[string, NonNullable<AffinityOptions['affinity']>]>([
    ['affinity[1].learn.cookie', [{ cookie: { name: 'sid' } }, { learn: { cookie: 'sid' } }]],
    ['affinity[1].cookie.name', [{ learn: { cookie: 'sid' } }, { cookie: { name: 'sid' } }]],
    ['affinity[1].learn.cookie', [{ prefix: { cookie: 'sid' } }, { learn: { cookie: 'sid' } }]],
  ])('refuse a cookie that another policy has: %s', (option, affinity) => {
    const more = { affinity, secrets: [SECRET] }
    expect(() => affinityOf({ more })).toThrow(expect.objectContaining({ name: OptionError.name, option }))
  })
})
