import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasNoRedis, startRedis } from '../support/redis-server.ts'
import { onlyKey, openStore, openTable, ready, SECRETS, TTL_MS } from '../support/redis-table.ts'

const [NEW = '', OLD = '', OTHER = ''] = SECRETS

describe.skipIf(hasNoRedis)('learned sessions in Redis', () => {
  it('are known to another gateway, and to this one without a question', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    here.set('s', 'a')
    expect(here.table.get('s')).toBe('a')
    await expect.poll(async () => there.get('s')).toBe('a')
    // From now on it is in memory.
    expect(there.table.get('s')).toBe('a')
    // Of all gateways, once Redis has said it.
    await expect.poll(() => there.affinity.pool.sessionsOf('a')).toBe(1)
    expect(await here.store.fleetSessions('shop', 'b')).toBe(0)
  })

  it('move and end for all gateways', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    await ready(here)
    await ready(there)
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    there.set('s', 'b')
    await expect.poll(async () => here.get('s')).toBe('b')
    here.table.delete('s')
    await expect.poll(async () => there.get('s')).toBeUndefined()
    expect(await here.get('s')).toBeUndefined()
  })

  it('stay where they have moved when a response from before the move comes later', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    await ready(here)
    await ready(there)
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    there.set('s', 'b')
    // The message about the change has come, and the new backend is not known here yet.
    await expect.poll(() => here.table.get('s') instanceof Promise).toBe(true)
    here.table.renew?.('s', 'a', TTL_MS)
    await expect.poll(async () => here.get('s')).toBe('b')
    here.table.renew?.('s', 'a', TTL_MS)
    expect([await here.get('s'), await there.get('s')]).toEqual(['b', 'b'])
  })

  it('are written anew by their next response when Redis has lost them', async () => {
    const redis = await startRedis()
    const admin = await redis.client()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    await ready(here)
    await ready(there)
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    await admin.flushAll()
    await expect.poll(() => here.table.get('s') instanceof Promise).toBe(true)
    here.table.renew?.('s', 'a', TTL_MS)
    await expect.poll(async () => admin.dbSize()).toBe(1)
    expect(await there.get('s')).toBe('a')
  })

  it('are written again when a tenth of their time has gone, and not sooner', async () => {
    const redis = await startRedis()
    const admin = await redis.client()
    const clock = { ms: Date.now() }
    const here = openTable({ url: redis.url }, { now: () => clock.ms })
    here.set('s', 'a')
    const key = await onlyKey(admin)
    await admin.pExpire(key, 30_000)
    // The change was another connection's, so memory has dropped it, and the store says what is left.
    await expect.poll(() => here.table.get('s') instanceof Promise).toBe(true)
    await here.get('s')
    here.set('s', 'a')
    await expect.poll(async () => admin.pTTL(key)).toBeGreaterThan(50_000)
    await admin.configResetStat()
    here.set('s', 'a')
    await here.store.close()
    expect(await admin.info('commandstats')).not.toContain('cmdstat_set:')
  })

  it('give neither ids nor backends away', async () => {
    const redis = await startRedis()
    const admin = await redis.client()
    const here = openTable({ url: redis.url }, { backends: ['secret-host-1'] })
    here.set('session-id-1', 'secret-host-1')
    const key = await onlyKey(admin)
    expect(key).toMatch(/^limpet:\{shop\}:l:[\w-]{22}$/)
    expect(await admin.get(key)).toMatch(/^[\w-]{16}$/)
    await here.store.fleetSessions('shop', 'secret-host-1')
    const keys = await admin.keys('*')
    expect(keys.join(' ')).not.toMatch(/session-id|secret-host/)
  })

  it('are not found under another secret, pool or prefix, and not harmed by their gateways', async () => {
    const redis = await startRedis()
    const { url } = redis
    const here = openTable({ url })
    await ready(here)
    const others = [
      openTable({ url }, { secrets: [OTHER] }),
      openTable({ url }, { pool: 'other' }),
      openTable({ url, prefix: 'other' }),
    ]
    here.set('s', 'a')
    await here.store.close()
    await Promise.all(others.map(async other => ready(other)))
    expect(await Promise.all(others.map(async other => other.get('s')))).toEqual(
      [1, 2, 3].map(() => undefined),
    )
    for (const other of others) other.set('s', 'b')
    await Promise.all(others.map(async other => other.store.close()))
    const again = openTable({ url })
    await ready(again)
    expect(await again.get('s')).toBe('a')
  })

  it('survive a change of secrets, and move for gateways that have yet to change', async () => {
    const redis = await startRedis()
    const { url } = redis
    const before = openTable({ url }, { secrets: [OLD, NEW] })
    const after = openTable({ url }, { secrets: [NEW, OLD] })
    await ready(before)
    await ready(after)
    before.set('s', 'a')
    await expect.poll(async () => after.get('s')).toBe('a')
    after.set('s', 'b')
    await expect.poll(async () => before.get('s')).toBe('b')
    before.table.delete('s')
    await expect.poll(async () => after.get('s')).toBeUndefined()
  })

  it('go on when their pool is configured anew', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    await ready(here)
    here.set('s', 'a')
    const next = openStore(here.store, { backends: ['a'] })
    expect(next.table.get('s')).toBe('a')
    here.set('t', 'b')
    await next.store.close()
    const other = openTable({ url: redis.url }, { backends: ['a'] })
    await ready(other)
    expect([await other.get('s'), await other.get('t')]).toEqual(['a', undefined])
  })

  it('are the same for gateways whose clocks are ten minutes apart', async () => {
    const redis = await startRedis()
    const { url } = redis
    const [slow, fast] = [-600_000, 600_000].map(ms => openTable({ url }, { now: () => Date.now() + ms }))
    slow?.set('s', 'a')
    await expect.poll(async () => fast?.get('s')).toBe('a')
    expect(fast?.table.get('s')).toBe('a')
    fast?.set('t', 'b')
    await expect.poll(async () => slow?.get('t')).toBe('b')
    await expect.poll(async () => slow?.store.fleetSessions('shop', 'a')).toBe(1)
    await expect.poll(async () => fast?.store.fleetSessions('shop', 'a')).toBe(1)
  })

  it('are counted for all gateways', async () => {
    const redis = await startRedis()
    const tables = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    for (const [index, table] of tables.entries()) {
      await ready(table)
      // Ten of them are known to both.
      for (let number = 0; number < 110; number += 1) table.set(`s${number + index * 100}`, 'a')
    }
    await Promise.all(tables.map(async ({ store }) => store.fleetSessions('shop', 'a')))
    const count = (await tables[0]?.store.fleetSessions('shop', 'a')) ?? 0
    expect(count).toBeGreaterThan(200)
    expect(count).toBeLessThan(220)
    expect(await tables[1]?.store.fleetSessions('shop', 'b')).toBe(0)
    await expect(tables[0]?.store.fleetSessions('other', 'a')).rejects.toThrow('no policy of pool other')
  })

  it('are asked for once at a time, and not at all behind a thousand', async () => {
    const redis = await startRedis()
    const admin = await redis.client()
    const here = openTable({ url: redis.url, deadline: '5s' })
    await ready(here)
    const first = here.table.get('s')
    expect(here.table.get('s')).toBe(first)
    await first
    redis.pause()
    const asked = Array.from({ length: 1_100 }, (_, number) => here.table.get(`x${number}`))
    expect(asked.filter(found => found instanceof Promise)).toHaveLength(1_024)
    redis.resume()
    await Promise.all(asked.map(async found => found))
    expect(await admin.dbSize()).toBe(0)
  })

  it('that a look-up finds late do not undo an answer that came first', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url, deadline: '5s' }), openTable({ url: redis.url })]
    await ready(there)
    there.set('s', 'a')
    await there.store.close()
    await ready(here)
    redis.pause()
    const asked = here.table.get('s')
    here.set('s', 'b')
    redis.resume()
    expect([await asked, here.table.get('s')]).toEqual(['b', 'b'])
  })

  it('come over a unix socket', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: `unix:${redis.socketPath}` }), openTable({ url: redis.url })]
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
  })

  it('take the options of a client that is there, and leave the client alone', async () => {
    const redis = await startRedis()
    const client = await redis.client({ database: 3 })
    const here = openTable({ client })
    await ready(here)
    here.set('s', 'a')
    await here.store.close()
    expect([(await client.keys('*:l:*')).length, client.isReady]).toEqual([1, true])
  })
})

describe.skipIf(hasNoRedis)('a look-up', () => {
  it('never finds a backend that was not written for its id, whatever the gateways do', async () => {
    const redis = await startRedis()
    const admin = await redis.client()
    const tables = [
      openTable({ url: redis.url, maxEntries: 3 }),
      openTable({ url: redis.url, maxEntries: 3 }),
      openTable({ url: redis.url }, { secrets: [OLD, NEW] }),
    ]
    await Promise.all(tables.map(async table => ready(table)))
    const id = fc.constantFrom(...Array.from({ length: 8 }, (_, number) => `s${number}`))
    const gateway = fc.nat(2)
    const step = fc.oneof(
      fc.record({ do: fc.constant('get' as const), gateway, id }),
      fc.record({ do: fc.constant('set' as const), gateway, id }),
      fc.record({ do: fc.constant('delete' as const), gateway, id }),
      fc.record({ do: fc.constant('flush' as const), gateway, id }),
    )
    // Each id has a backend of its own, so that a mistake shows.
    const backendOf = (one: string): string => ['a', 'b', 'c'][Number(one.slice(1)) % 3] ?? ''
    const written = new Set<string>()
    const wrong: string[] = []
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
        await Promise.all(
          steps.map(async taken => {
            const table = tables[taken.gateway]
            if (taken.do === 'set') {
              written.add(taken.id)
              table?.set(taken.id, backendOf(taken.id))
            }
            if (taken.do === 'delete') table?.table.delete(taken.id)
            if (taken.do === 'flush') await admin.flushAll()
            const found = await table?.get(taken.id)
            if (found === undefined) return
            if (found !== backendOf(taken.id) || !written.has(taken.id)) wrong.push(`${taken.id} ${found}`)
          }),
        )
      }),
      { numRuns: 60 },
    )
    expect(wrong).toEqual([])
  })
})
