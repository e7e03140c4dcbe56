import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { RedisStateEvent } from '@limpet/redis'
import { describe, expect, it } from 'vitest'
import { hasNoRedis, startRedis } from '../support/redis-server.ts'
import { note, openTable } from '../support/redis-table.ts'

describe.skipIf(hasNoRedis)('learned sessions at a start', () => {
  it('are known to a gateway that has just started, once its store is ready', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    await here.store.ready
    here.set('s', 'a')
    await here.store.close()
    const there = openTable({ url: redis.url })
    await there.store.ready
    expect(await there.table.get('s')).toBe('a')
  })

  it('do not keep a gateway from its start while Redis is away', async () => {
    const closed = 'redis://127.0.0.1:1'
    await openTable({ url: closed }).store.ready
  })

  it('are waited for while Redis is silent', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    await here.store.ready
    here.set('s', 'a')
    await here.store.close()
    const down = new Promise<void>(resolve => {
      note('limpet:redis-state', event => {
        if ((event as RedisStateEvent).state === 'down') resolve()
      })
    })
    redis.pause()
    const { store, table } = openTable({ url: redis.url })
    let isReady = false
    void store.ready.then(() => (isReady = true))
    await down
    await turn()
    expect(isReady).toBe(false)
    redis.resume()
    await store.ready
    expect(await table.get('s')).toBe('a')
  })
})

describe.skipIf(hasNoRedis)('a look-up with a long deadline', () => {
  it('finds its session after a silence of Redis that is shorter', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url, deadline: '5s' })
    const there = openTable({ url: redis.url, deadline: '5s' })
    await Promise.all([here.store.ready, there.store.ready])
    here.set('s', 'a')
    await here.store.close()
    redis.pause()
    // Two heartbeats would have gone unanswered.
    await delay(1_500)
    const found = there.table.get('s')
    redis.resume()
    expect(await found).toBe('a')
  })
})
