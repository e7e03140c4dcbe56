import { setTimeout } from 'node:timers/promises'
import { type Affinity, createAffinity, type Lease } from '@limpet/core'
import { type RedisFleet, redisFleet } from '@limpet/redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasNoRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { REQUEST } from '../support/request-head.ts'
import { note, noteStates, SECRETS } from '../support/redis-table.ts'

const KEY = 'limpet:{shop}:d'
/** Longer than a drain takes that no other gateway needs. */
const LONG_MS = 3_500

interface Gateway {
  readonly affinity: Affinity
  readonly fleet: RedisFleet
}

/** A gateway with one backend, `a`. Its sessions are known to it alone. */
async function join(redis: RedisServer, ttlMs = 60_000): Promise<Gateway> {
  const affinity = createAffinity({
    name: 'shop',
    backends: [{ id: 'a', url: 'http://127.0.0.1:1' }],
    affinity: [{ learn: { cookie: 'sid', ttl: ttlMs } }],
  })
  const fleet = redisFleet(affinity.pool, { url: redis.url, secrets: SECRETS.slice(0, 1) })
  onTestFinished(() => fleet.close())
  await fleet.ready
  return { affinity, fleet }
}

async function request({ affinity }: Gateway): Promise<Lease> {
  return affinity.select(REQUEST)
}

async function isOver(drained: Promise<unknown>, withinMs: number): Promise<boolean> {
  return Promise.race([drained.then(() => true), setTimeout(withinMs, false)])
}

const stateAt = ({ affinity }: Gateway): string | undefined => affinity.pool.find('a')?.state

describe.skipIf(hasNoRedis)('a drain of all gateways', { timeout: 30_000 }, () => {
  it('waits for a request in flight at another gateway, and ends at both', async () => {
    const redis = await startRedis()
    const [here, there] = await Promise.all([join(redis), join(redis)])
    const lease = await request(there)
    const { drained } = here.fleet.drain('a', { deadline: '1h' })
    await expect
      .poll(() => here.fleet.drainOf('a'), { timeout: 10_000 })
      .toEqual({ processes: 2, inFlight: 1, tunnels: 0, sessions: 0 })
    expect(await isOver(drained, LONG_MS)).toBe(false)
    const admin = await redis.client()
    const fields = Object.entries(await admin.hGetAll(KEY))
    expect(fields).toHaveLength(2)
    for (const [field, value] of fields)
      expect(field + Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/backends|inFlight/)
    expect(await admin.pTTL(KEY)).toBeGreaterThan(0)
    lease.release()
    expect(await drained).toMatchObject({ outcome: 'drained', inFlight: 0 })
    await expect.poll(() => stateAt(there), { timeout: 10_000 }).toBe('maint')
    await expect.poll(async () => admin.exists(KEY), { timeout: 10_000 }).toBe(0)
    // Each forgets the reports of the other when it next looks.
    const left = (): unknown[] => [here, there].flatMap(({ fleet }) => fleet.drainOf('a') ?? [])
    await expect.poll(left, { timeout: 10_000 }).toEqual([])
  })

  it('waits for a session that only another gateway knows', async () => {
    const redis = await startRedis()
    const [here, there] = await Promise.all([join(redis), join(redis, 6_000)])
    const lease = await request(there)
    lease.responded({ statusCode: 200, headers: { 'set-cookie': ['sid=1'] } })
    lease.release()
    expect([here, there].map(({ affinity }) => affinity.pool.sessionsOf('a'))).toEqual([0, 1])
    const { drained } = here.fleet.drain('a', { deadline: '1h' })
    expect(await drained).toMatchObject({ outcome: 'drained' })
    expect(there.affinity.pool.sessionsOf('a')).toBe(0)
  })

  it('ends by its deadline whatever other gateways have left', async () => {
    const redis = await startRedis()
    const [here, there] = await Promise.all([join(redis), join(redis)])
    const lease = await request(there)
    const drain = here.fleet.drain('a', { deadline: '3s' })
    expect(await drain.drained).toMatchObject({ outcome: 'deadline', inFlight: 0 })
    await expect.poll(() => stateAt(there)).toBe('maint')
    expect(here.fleet.drainOf('a')).toMatchObject({ inFlight: 1 })
    lease.release()
    await expect.poll(() => here.fleet.drainOf('a'), { timeout: 15_000 }).toBe(undefined)
  })

  it('is told of once for foreign and repeated reports, and these hold no drain', async () => {
    const bad: unknown[] = []
    note('limpet:redis-bad-value', event => bad.push(event))
    const redis = await startRedis()
    const [here, there] = await Promise.all([join(redis), join(redis)])
    const admin = await redis.client()
    const lease = await request(there)
    const { drained } = here.fleet.drain('a', { deadline: '1h' })
    await expect.poll(async () => admin.hLen(KEY), { timeout: 10_000 }).toBe(2)
    const values = Object.values(await admin.hGetAll(KEY))
    await admin.hSet(KEY, { foreign: 'text', empty: '', copied: values[0] ?? '', other: values[1] ?? '' })
    await expect.poll(() => bad.length, { timeout: 10_000 }).toBeGreaterThan(0)
    lease.release()
    expect(await drained).toMatchObject({ outcome: 'drained' })
    await expect.poll(() => bad, { timeout: 10_000 }).toHaveLength(2)
    expect(bad).toContainEqual({
      pool: 'shop',
      of: 'fleet',
      reason: 'a drain report was sealed with another secret',
      count: 1,
    })
  })

  it('ends by its deadline alone where Redis refuses the reports', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const here = await join(redis)
    const admin = await redis.client()
    await admin.set(KEY, 'of another program')
    const { drained } = here.fleet.drain('a', { deadline: '4s' })
    expect(await isOver(drained, LONG_MS)).toBe(false)
    expect(await drained).toMatchObject({ outcome: 'deadline' })
    expect(states).toContainEqual(
      expect.objectContaining({
        state: 'degraded',
        reason: expect.stringMatching(/^drain reports: WRONGTYPE/) as string,
      }),
    )
  })
})
