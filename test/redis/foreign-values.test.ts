import { describe, expect, it } from 'vitest'
import { type AdminClient, hasNoRedis, startRedis } from '../support/redis-server.ts'
import { note, onlyKey, openTable, ready, TTL_MS } from '../support/redis-table.ts'

describe.skipIf(hasNoRedis)('values in Redis that are not ours', () => {
  it.each<[string, (admin: AdminClient, key: string) => Promise<unknown>, string]>([
    ['of another type', async (admin, key) => admin.lPush(key, 'x'), 'a key of ours has another type'],
    ['that are no tags', async (admin, key) => admin.set(key, '<script>'), 'a value is no tag of a backend'],
    ['that are ids', async (admin, key) => admin.set(key, 'b'), 'a value is no tag of a backend'],
    ['that are tags of no backend', async (admin, key) => admin.set(key, 'x'.repeat(16)), ''],
  ])('%s count as unknown, and are written over', async (_, spoil, reason) => {
    const redis = await startRedis()
    const admin = await redis.client()
    const bad: unknown[] = []
    note('limpet:redis-bad-value', event => bad.push(event))
    const here = openTable({ url: redis.url })
    here.set('s', 'a')
    const key = await onlyKey(admin)
    await admin.del(key)
    await spoil(admin, key)
    await expect.poll(() => here.table.get('s') instanceof Promise).toBe(true)
    expect(await here.get('s')).toBeUndefined()
    expect(bad).toMatchObject(reason === '' ? [] : [{ pool: 'shop', of: 'learned', reason, count: 1 }])
    here.set('s', 'c')
    // A value that was spoiled has no end.
    await expect.poll(async () => admin.pTTL(key)).toBeGreaterThan(TTL_MS / 2)
    expect(await admin.type(key)).toBe('string')
    const there = openTable({ url: redis.url })
    await ready(there)
    expect(await there.get('s')).toBe('c')
  })
})
