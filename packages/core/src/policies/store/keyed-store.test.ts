import { runInNewContext } from 'node:vm'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { deriveKeys } from '../../signing/signing-key.ts'
import { keyedStore } from './keyed-store.ts'
import type { AffinityStore, OpenStore } from './store.ts'

const [NEW = new Uint8Array(), OLD = new Uint8Array()] = ['new', 'old'].map(text =>
  Buffer.from(text.repeat(12)),
)

/** A store far away, and the calls that it got. */
class Remote implements AffinityStore {
  readonly entries = new Map<string, string>()
  readonly calls: string[] = []

  async get(key: string): Promise<string | undefined> {
    this.calls.push('get')
    return this.entries.get(key)
  }

  async set(key: string, backendId: string): Promise<void> {
    this.calls.push('set')
    this.entries.set(key, backendId)
  }

  async delete(key: string): Promise<void> {
    this.calls.push('delete')
    this.entries.delete(key)
  }
}

function setUp(
  remote: AffinityStore = new Remote(),
  secrets = [NEW],
): { store: OpenStore; clock: { ms: number } } {
  const clock = { ms: 0 }
  const keys = deriveKeys(secrets, 'test')
  return { store: keyedStore(remote, { keys, timeoutMs: 50, now: () => clock.ms }), clock }
}

describe("a user's store", () => {
  it('gets neither the id of a session nor anything that leads to it [T-25]', async () => {
    const remote = new Remote()
    const { store } = setUp(remote)
    await store.set('session-1', 'a', 1_000)
    expect([...remote.entries.keys()]).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
    expect([await store.get('session-1'), await store.get('session-2')]).toEqual(['a', undefined])
    await store.delete('session-1')
    expect(remote.entries.size).toBe(0)
  })

  it('is asked under older secrets too, and forgets under all', async () => {
    const remote = new Remote()
    await setUp(remote, [OLD]).store.set('s', 'a', 1_000)
    const { store } = setUp(remote, [NEW, OLD])
    expect(await store.get('s')).toBe('a')
    await store.set('s', 'b', 1_000)
    expect([remote.entries.size, await store.get('s')]).toEqual([2, 'b'])
    await store.delete('s')
    expect(remote.entries.size).toBe(0)
  })

  it('keeps a session where another gateway has moved it while a response was on its way', async () => {
    const remote = new Remote()
    const [{ store: here }, { store: there, clock }] = [setUp(remote), setUp(remote)]
    await there.set('s', 'a', 1_000)
    await here.set('s', 'b', 1_000)
    clock.ms = 100
    await there.renew?.('s', 'a', 1_000)
    expect([await here.get('s'), await there.get('s')]).toEqual(['b', 'b'])
    // Lost, and then as it is.
    remote.entries.clear()
    clock.ms = 200
    await there.renew?.('s', 'b', 1_000)
    expect(await here.get('s')).toBe('b')
  })

  it('is updated for a continuing session once in a tenth of its time, and at once for one that moves', async () => {
    const remote = new Remote()
    const { store, clock } = setUp(remote)
    await store.set('s', 'a', 1_000)
    clock.ms = 99
    await store.set('s', 'a', 1_000)
    expect(remote.calls).toEqual(['set'])
    await store.set('s', 'b', 1_000)
    clock.ms = 200
    await store.set('s', 'b', 1_000)
    expect(remote.calls).toEqual(['set', 'set', 'set'])
    await store.delete('s')
    await store.set('s', 'b', 1_000)
    expect(remote.entries.size).toBe(1)
  })

  it('is updated for a session that another gateway has moved, or that it has lost', async () => {
    const remote = new Remote()
    const [here, there] = [setUp(remote).store, setUp(remote).store]
    await here.set('s', 'a', 1_000)
    await there.set('s', 'b', 1_000)
    expect(await here.get('s')).toBe('b')
    await here.set('s', 'a', 1_000)
    expect(await there.get('s')).toBe('a')
    remote.entries.clear()
    expect(await here.get('s')).toBeUndefined()
    await here.set('s', 'a', 1_000)
    expect(remote.entries.size).toBe(1)
  })

  it('gets a pending write once', async () => {
    const remote = new Remote()
    const { store } = setUp(remote)
    await Promise.all([store.set('s', 'a', 1_000), store.set('s', 'a', 1_000)])
    expect(remote.calls).toEqual(['set'])
  })

  it('answers at once when it does', () => {
    const entries = new Map<string, string>()
    const [old, both] = [[OLD], [NEW, OLD]].map(
      secrets =>
        setUp(
          {
            get: key => entries.get(key),
            set: (key, id) => entries.set(key, id),
            delete: key => entries.delete(key),
          },
          secrets,
        ).store,
    )
    void old?.set('s', 'a', 1_000)
    expect([both?.get('s'), both?.get('t')]).toEqual(['a', undefined])
  })

  it('leaves no timer behind when it has answered', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { store } = setUp()
    const answer = store.get('s')
    expect(vi.getTimerCount()).toBe(1)
    await answer
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may return a thenable', async () => {
    const answer: unknown = runInNewContext(`Promise.resolve('a')`)
    expect(answer).not.toBeInstanceOf(Promise)
    const { store } = setUp({ get: () => answer as never, set: () => undefined, delete: () => undefined })
    expect(await store.get('s')).toBe('a')
  })

  it('gets a failed write again', async () => {
    const remote = new Remote()
    const { store } = setUp(remote)
    vi.spyOn(remote, 'set').mockRejectedValueOnce(new Error('down'))
    await expect(store.set('s', 'a', 1_000)).rejects.toThrow('down')
    await store.set('s', 'a', 1_000)
    expect(remote.entries.size).toBe(1)
  })

  it('fails when it is down, and when it takes too long', async () => {
    const remote = new Remote()
    const { store } = setUp(remote)
    vi.spyOn(remote, 'get').mockImplementationOnce(() => {
      throw new Error('down at once')
    })
    expect(() => store.get('s')).toThrow('down at once')
    vi.spyOn(remote, 'get').mockRejectedValueOnce(new Error('down'))
    await expect(store.get('s')).rejects.toThrow('down')
    vi.spyOn(remote, 'get').mockReturnValueOnce(Promise.withResolvers<undefined>().promise)
    await expect(store.get('s')).rejects.toThrow('within 50 ms')
  })

  it.each([null, 5, {}, ['a']])(
    'may return anything: a value that is no string is ignored: %j',
    async answer => {
      const { store } = setUp({ get: () => answer as never, set: () => undefined, delete: () => undefined })
      expect(await store.get('s')).toBeUndefined()
    },
  )
})
