import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Affinity } from '../../affinity.ts'
import type { AffinityOptions } from '../../affinity-options.ts'
import * as diagnostics from '../../diagnostics.ts'
import { requestHead } from '../../head.ts'
import { OptionError } from '../../options/option.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { AffinityStore, SharedStore, StoreContext } from '../store/store.ts'
import { affinityOf, ask, begin } from './learn-policy.fixture.ts'

const SECRET = 'learn-0123456789abcdefghijklmnopqrstuvwxyz'

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
