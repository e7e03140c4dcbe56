import { setTimeout } from 'node:timers/promises'
import { createAffinity, type Pool } from '@limpet/core'
import { type FleetChangeEvent, type RedisFleet, redisFleet, type RedisFleetOptions } from '@limpet/redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasNoRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { note, noteStates, openTable, ready, SECRETS } from '../support/redis-table.ts'
import { type ProxiedConnection, TcpProxy } from '../support/tcp-proxy.ts'

const [NEW = '', OLD = '', OTHER = ''] = SECRETS
const BACKENDS = ['a', 'b', 'c'].map((id, at) => ({ id, url: `http://127.0.0.1:${at + 1}` }))

interface Gateway {
  readonly pool: Pool
  readonly fleet: RedisFleet
}

function join(redis: RedisServer, options: Partial<RedisFleetOptions> = {}, backends = BACKENDS): Gateway {
  // No policy counts sessions, so that a drain does not end at once.
  const uncounted = { read: () => ({ kind: 'none' }) as const }
  const pool = createAffinity({ name: 'shop', backends, affinity: [uncounted] }).pool
  const fleet = redisFleet(pool, { url: redis.url, secrets: [NEW], ...options })
  onTestFinished(() => fleet.close())
  return { pool, fleet }
}

/** Its members as an operator sees them. */
function seen({ pool }: Gateway): readonly string[] {
  return pool.backends.map(({ backend, state, weight }) => `${backend.id} ${state} ${weight}`)
}

function noteChanges(): FleetChangeEvent[] {
  const changes: FleetChangeEvent[] = []
  note('limpet:fleet-change', event => changes.push(event as FleetChangeEvent))
  return changes
}

describe.skipIf(hasNoRedis)('commands of operators', () => {
  it('reach all gateways, with who gave them, and those that start later', async () => {
    const changes = noteChanges()
    const redis = await startRedis()
    const [here, there] = [join(redis, { by: 'gw1' }), join(redis)]
    await Promise.all([here.fleet.ready, there.fleet.ready])
    here.fleet.setState('a', 'maint', 'ops@gw1')
    here.fleet.setWeight('b', 5)
    here.fleet.add({ id: 'd', url: 'http://127.0.0.1:4', weight: 2 })
    here.fleet.remove('c')
    const expected = ['a maint 1', 'b ready 5', 'd ready 2']
    await expect.poll(() => seen(there)).toEqual(expected)
    expect(seen(here)).toEqual(expected)
    expect(there.fleet.command('a')).toMatchObject({ state: 'maint', by: 'ops@gw1', rev: 1 })
    expect(changes).toMatchObject([
      { pool: 'shop', backend: 'a', change: 'maint', by: 'ops@gw1', error: undefined },
      { backend: 'b', change: 'weight', weight: 5, by: 'gw1' },
      { backend: 'd', change: 'added', by: 'gw1' },
      { backend: 'c', change: 'removed', by: 'gw1' },
    ])
    const late = join(redis)
    await late.fleet.ready
    expect(seen(late)).toEqual(expected)
    here.fleet.remove('d')
    here.fleet.add({ id: 'd', url: 'http://127.0.0.1:44', weight: 2 })
    await expect.poll(() => late.pool.find('d')?.backend.url.port).toBe('44')
    // A command of one kind keeps those of the others.
    there.fleet.setState('b', 'drain')
    await expect.poll(() => seen(late)).toEqual(['a maint 1', 'b drain 5', 'd ready 2'])
  })

  it('drain a backend at all gateways, with one deadline', async () => {
    const redis = await startRedis()
    const [here, there] = [join(redis), join(redis)]
    await Promise.all([here.fleet.ready, there.fleet.ready])
    here.fleet.drain('a', { deadline: '1h' })
    await expect.poll(() => there.pool.find('a')?.state).toBe('drain')
    const command = there.fleet.command('a')
    expect((command?.deadlineAtMs ?? 0) - (command?.atMs ?? 0)).toBeGreaterThan(3_590_000)
    here.fleet.drain('b', { deadline: 50 })
    await expect.poll(() => there.pool.find('b')?.state).toBe('maint')
    const late = join(redis)
    await late.fleet.ready
    expect(seen(late)).toEqual(['a drain 1', 'b maint 1', 'c ready 1'])
    // A new file does not undo it.
    late.pool.replace(BACKENDS)
    late.fleet.apply()
    expect(seen(late)).toEqual(['a drain 1', 'b maint 1', 'c ready 1'])
    // Nor does a backend that goes and comes back, as by discovery.
    late.pool.replace(BACKENDS.slice(1))
    late.pool.replace(BACKENDS)
    await expect.poll(() => late.pool.find('a')?.state).toBe('drain')
  })

  it.each([-600_000, 600_000])(
    'keep their times when the clock of a gateway is set by %i ms',
    async stepMs => {
      const redis = await startRedis()
      const here = join(redis)
      await here.fleet.ready
      const realNow = Date.now
      vi.spyOn(Date, 'now').mockImplementation(() => realNow() + stepMs)
      onTestFinished(() => void vi.restoreAllMocks())
      // It reads its clock after the step, as if it had been right all the time.
      const there = join(redis)
      await there.fleet.ready
      here.fleet.drain('a', { deadline: '5m' })
      await expect.poll(() => seen(there)[0]).toMatch(/^a (?!ready)/)
      expect(seen(there)[0]).toBe('a drain 1')
      const drain = there.pool.drainOf('a')
      const lastsMs = (drain?.deadlineAtMs ?? 0) - (drain?.startedAtMs ?? 0)
      expect(Math.abs(lastsMs - 300_000)).toBeLessThan(60_000)
      there.fleet.setState('a', 'ready')
      await expect.poll(() => seen(here)[0]).toBe('a ready 1')
    },
  )

  it('resolve to the newer when two are given, whatever the clocks say', async () => {
    const redis = await startRedis()
    const gateways = [join(redis), join(redis), join(redis)]
    await Promise.all(gateways.map(async ({ fleet }) => fleet.ready))
    const states = ['maint', 'ready', 'drain'] as const
    for (let round = 0; round < 20; round += 1) {
      for (const [index, { fleet }] of gateways.entries())
        fleet.setState('a', states[(index + round) % 3] ?? 'ready')
    }
    const late = join(redis)
    const all = [...gateways, late]
    await expect
      .poll(() => new Set(all.map(({ fleet }) => JSON.stringify(fleet.command('a')))).size, {
        timeout: 15_000,
      })
      .toBe(1)
    const last = join(redis)
    await last.fleet.ready
    expect(last.fleet.command('a')).toEqual(late.fleet.command('a'))
    await expect.poll(() => new Set(gateways.map(gateway => seen(gateway).join())).size).toBe(1)
  })

  it('given while Redis is away work here, and reach the others when it is back, empty or not', async () => {
    const redis = await startRedis()
    const states = noteStates()
    const [here, there] = [join(redis), join(redis)]
    await Promise.all([here.fleet.ready, there.fleet.ready])
    here.fleet.setState('a', 'maint')
    await expect.poll(() => there.pool.find('a')?.state).toBe('maint')
    await redis.kill()
    await expect
      .poll(() => states.filter(({ state, of }) => state === 'down' && of === 'fleet'))
      .toHaveLength(2)
    here.fleet.setState('b', 'drain')
    there.fleet.setWeight('c', 7)
    expect(seen(here)).toEqual(['a maint 1', 'b drain 1', 'c ready 1'])
    await redis.start()
    const expected = ['a maint 1', 'b drain 1', 'c ready 7']
    await expect.poll(() => [seen(here), seen(there)], { timeout: 15_000 }).toEqual([expected, expected])
    const late = join(redis)
    await late.fleet.ready
    expect(seen(late)).toEqual(expected)
  })

  it('keep their deadline when they are given before Redis was ever asked, by a clock that is wrong', async () => {
    const redis = await startRedis()
    const proxy = await TcpProxy.start(redis.port)
    proxy.hold()
    const there = join(redis)
    await there.fleet.ready
    const realNow = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 600_000)
    onTestFinished(() => void vi.restoreAllMocks())
    const here = join(redis, { url: `redis://127.0.0.1:${proxy.port}` })
    here.fleet.drain('a', { deadline: '5m' })
    proxy.release()
    await expect.poll(() => seen(there)[0], { timeout: 15_000 }).toMatch(/^a (?!ready)/)
    expect(seen(there)[0]).toBe('a drain 1')
    const { deadlineAtMs = 0 } = there.fleet.command('a') ?? {}
    expect(Math.abs(deadlineAtMs - realNow() - 300_000)).toBeLessThan(60_000)
  })

  it('show nothing to a reader of Redis, and take nothing from a writer', async () => {
    const bad: unknown[] = []
    note('limpet:redis-bad-value', event => bad.push(event))
    const redis = await startRedis()
    const admin = await redis.client()
    const here = join(redis)
    await here.fleet.ready
    here.fleet.add({ id: 'secret-id', url: 'http://secret-host:80' })
    const key = 'limpet:{shop}:o'
    await expect.poll(async () => admin.hLen(key)).toBe(1)
    const [field = '', value = ''] = Object.entries(await admin.hGetAll(key))[0] ?? []
    expect([field, Buffer.from(value, 'base64url').toString('latin1')].join(' ')).not.toMatch(
      /secret|host|by/,
    )
    const forged = JSON.stringify({
      id: 'evil',
      by: 'x',
      origin: 'x',
      atMs: 1,
      rev: 1,
      added: { url: 'http://evil:80' },
    })
    await admin.hSet(key, { x: forged, y: `${value.slice(0, -3)}AAA`, z: '' })
    await admin.publish(key, forged)
    const late = join(redis)
    await late.fleet.ready
    expect(seen(late).map(line => line.split(' ')[0])).toEqual(['a', 'b', 'c', 'secret-id'])
    expect(bad.length).toBeGreaterThan(0)
  })

  it('of other secrets are not seen, and a change of secrets keeps them', async () => {
    const redis = await startRedis()
    const [here, other, after] = [
      join(redis, { secrets: [OLD, NEW] }),
      join(redis, { secrets: [OTHER] }),
      join(redis, { secrets: [NEW, OLD] }),
    ]
    await Promise.all([here, other, after].map(async ({ fleet }) => fleet.ready))
    here.fleet.setState('a', 'maint')
    await expect.poll(() => after.pool.find('a')?.state).toBe('maint')
    after.fleet.setState('a', 'ready')
    await expect.poll(() => here.pool.find('a')?.state).toBe('ready')
    other.fleet.setState('b', 'maint')
    const late = join(redis, { secrets: [NEW, OLD] })
    await late.fleet.ready
    expect([seen(late), other.pool.find('a')?.state]).toEqual([
      ['a ready 1', 'b ready 1', 'c ready 1'],
      'ready',
    ])
  })

  it('are sealed anew when the secrets change, so that they outlive the old one', async () => {
    const bad: unknown[] = []
    note('limpet:redis-bad-value', event => bad.push(event))
    const redis = await startRedis()
    const before = join(redis, { secrets: [OLD] })
    await before.fleet.ready
    before.fleet.setState('a', 'maint')
    const admin = await redis.client()
    const fields = async (): Promise<readonly string[]> => admin.hKeys('limpet:{shop}:o')
    await expect.poll(fields).toHaveLength(1)
    const [old] = await fields()
    before.fleet.close()

    const between = join(redis, { secrets: [NEW, OLD] })
    await between.fleet.ready
    await expect.poll(fields).not.toContain(old)
    expect(between.pool.find('a')?.state).toBe('maint')
    between.fleet.close()

    const after = join(redis, { secrets: [NEW] })
    await after.fleet.ready
    expect(after.pool.find('a')?.state).toBe('maint')
    expect(await fields()).toHaveLength(1)
    expect(bad).toEqual([])
  })

  it('that the pool refuses change nothing, and that is told', async () => {
    const changes = noteChanges()
    const redis = await startRedis()
    const here = join(redis)
    const there = join(redis, {}, [{ id: 'a', url: 'http://127.0.0.1:1' }])
    await Promise.all([here.fleet.ready, there.fleet.ready])
    expect(() => here.fleet.setWeight('a', 1_000)).toThrow('takes a whole number from 0 to 256')
    expect(() => here.fleet.setState('x', 'maint')).toThrow('x')
    expect(here.fleet.remove('x')).toBe(false)
    here.fleet.setState('b', 'maint')
    // It does not have this one, and takes the command for when it does.
    await expect.poll(() => changes).toHaveLength(1)
    there.pool.add({ id: 'b', url: 'http://127.0.0.1:2' })
    await expect.poll(() => there.pool.find('b')?.state).toBe('maint')
  })
})

describe.skipIf(hasNoRedis)('a drain', () => {
  it('waits for sessions that only another gateway has met', async () => {
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    await Promise.all([ready(here), ready(there)])
    here.set('s', 'a')
    await expect.poll(() => there.affinity.pool.sessionsOf('a')).toBe(1)
    const drain = there.affinity.pool.drain('a')
    const waits = setTimeout(1_500, 'waits')
    expect(await Promise.race([drain.drained, waits])).toBe('waits')
    expect(drain.sessions).toBe(1)
    drain.cancel()
  })

  it('are not written on a connection whose reply was late, where two attempts would share one WATCH', async () => {
    const redis = await startRedis()
    const proxy = await TcpProxy.start(redis.port)
    const [here, there] = [join(redis, { url: `redis://127.0.0.1:${proxy.port}` }), join(redis)]
    await Promise.all([here.fleet.ready, there.fleet.ready])
    // The other one is for messages.
    const isForCommands = ({ sent }: ProxiedConnection): boolean => /\bTIME\b/.test(sent)
    await expect.poll(() => proxy.connections.filter(isForCommands)).toHaveLength(1)
    const late = proxy.connections.find(isForCommands)
    late?.hold()
    here.fleet.setState('a', 'maint')
    await expect.poll(() => late?.held).toContain('+OK')
    // Longer than a write may take.
    await setTimeout(1_200)
    late?.release()
    await expect.poll(() => there.pool.find('a')?.state, { timeout: 10_000 }).toBe('maint')
    expect(late?.sent).toContain('WATCH')
    expect(late?.sent).not.toContain('EXEC')
  })
})
