import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { hasNoRedis, startRedis } from '../support/redis-server.ts'
import { noteStates, openTable, ready, reasonsOf } from '../support/redis-table.ts'
import { freePort } from '../support/free-port.ts'

describe.skipIf(hasNoRedis)('a Redis that fails', () => {
  it('and comes back empty has all known sessions again, as they are used', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: redis.url })]
    await Promise.all([ready(here), ready(there)])
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    await redis.kill()
    await expect.poll(() => states.filter(({ state }) => state === 'down')).toHaveLength(2)
    // Known sessions are answered at once, unknown ones too, and new ones are kept.
    expect([here.table.get('s'), here.table.get('x')]).toEqual(['a', undefined])
    here.set('t', 'b')
    expect(here.table.get('t')).toBe('b')
    await redis.start()
    await Promise.all([ready(here), ready(there)])
    await expect.poll(async () => there.get('t')).toBe('b')
    expect(await here.get('s')).toBe('a')
    here.set('s', 'a')
    const third = openTable({ url: redis.url })
    await ready(third)
    await expect.poll(async () => third.get('s')).toBe('a')
  })

  it('and comes back with older entries is believed before memory is', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    await ready(here)
    here.set('s', 'a')
    const there = openTable({ url: redis.url })
    await ready(there)
    await expect.poll(async () => there.get('s')).toBe('a')
    const admin = await redis.client()
    await admin.sendCommand(['SAVE'])
    await redis.kill()
    await expect.poll(() => here.table.get('x')).toBeUndefined()
    await redis.start()
    // Another gateway moves the session before this one is back.
    await ready(there)
    there.set('s', 'b')
    await there.store.close()
    await ready(here)
    await expect.poll(async () => here.get('s')).toBe('b')
  })

  it('is not asked while it is silent, and again when it answers', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const here = openTable({ url: redis.url, deadline: '50ms' })
    await ready(here)
    here.set('s', 'a')
    await expect.poll(async () => (await redis.client()).dbSize()).toBeGreaterThan(0)
    redis.pause()
    const asked = Array.from({ length: 20 }, async (_, number) => here.get(`x${number}`))
    expect(await Promise.all(asked)).toEqual(asked.map(() => undefined))
    expect([here.table.get('y'), here.table.get('s')]).toEqual([undefined, 'a'])
    expect(states.at(-1)).toMatchObject({ state: 'down', reason: 'no reply within 50 ms' })
    here.set('t', 'b')
    redis.resume()
    await ready(here)
    const there = openTable({ url: redis.url })
    await expect.poll(async () => there.get('t')).toBe('b')
    expect(states.map(({ state }) => state).filter(state => state === 'down')).toHaveLength(1)
  })

  it('is found silent when nothing is asked', async () => {
    const states = noteStates()
    const redis = await startRedis()
    await ready(openTable({ url: redis.url, deadline: '50ms' }))
    redis.pause()
    await expect.poll(() => states.at(-1)).toMatchObject({ state: 'down', reason: 'no reply within 500 ms' })
  })

  it('that pauses its clients is like one that is silent', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url, deadline: '50ms' })
    await ready(here)
    const admin = await redis.client()
    await admin.sendCommand(['CLIENT', 'PAUSE', '1500', 'ALL'])
    const asked = Array.from({ length: 5 }, async (_, number) => here.get(`x${number}`))
    expect(await Promise.all(asked)).toEqual(asked.map(() => undefined))
    expect(here.table.get('y')).toBeUndefined()
    await ready(here)
  })

  it('with a wrong password is down, and the password is not told', async () => {
    const states = noteStates()
    const redis = await startRedis('--requirepass', 'right-password')
    const here = openTable({ url: `redis://:wrong-password@127.0.0.1:${redis.port}` })
    await expect.poll(() => states).toHaveLength(1)
    expect(states[0]).toMatchObject({ state: 'down', reason: expect.stringMatching(/^WRONGPASS /) as string })
    expect(JSON.stringify(states)).not.toContain('wrong-password')
    here.set('s', 'a')
    expect(here.table.get('s')).toBe('a')
    await ready(openTable({ url: redis.url, password: 'right-password' }))
  })

  it('that is not there is down, and found when it comes', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const here = openTable({ url: [`redis://127.0.0.1:${await freePort()}`, redis.url] })
    expect(here.table.get('s')).toBeUndefined()
    await ready(here)
    expect(states.map(({ state }) => state)).toEqual(['down', 'up'])
  })

  it('may give its user nothing but what is needed', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const admin = await redis.client()
    await admin.sendCommand(
      'ACL SETUSER limpet on >pass-word resetkeys ~limpet:* resetchannels &limpet:* -@all +hello +auth +ping +exists +time +client|tracking +get +pttl +set +del +pfadd +pfcount +pexpire'.split(
        ' ',
      ),
    )
    const url = `redis://limpet:pass-word@127.0.0.1:${redis.port}`
    const [here, there] = [openTable({ url }), openTable({ url })]
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    expect(there.table.get('s')).toBe('a')
    await expect.poll(async () => there.store.fleetSessions('shop', 'a')).toBe(1)
    expect(reasonsOf(states)).toEqual([])
  })

  it('whose user may not be told of changes is asked for known sessions too', async () => {
    const states = noteStates()
    const redis = await startRedis()
    const admin = await redis.client()
    await admin.sendCommand(['ACL', 'SETUSER', 'limpet', 'on', '>pass', '~*', '+@all', '-client|tracking'])
    const here = openTable({ url: redis.url, username: 'limpet', password: 'pass' })
    const there = openTable({ url: redis.url })
    await Promise.all([ready(here), ready(there)])
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    there.set('s', 'b')
    await expect.poll(async () => here.get('s')).toBe('b')
    expect(here.table.get('s')).toBeInstanceOf(Promise)
    expect(states.find(({ state }) => state === 'degraded')?.reason).toMatch(/^invalidation: NOPERM /)
  })

  it('that is a replica answers look-ups, and gets the writes when it is the primary', async () => {
    const states = noteStates()
    const primary = await startRedis('--repl-diskless-sync-delay', '0')
    const redis = await startRedis()
    const admin = await redis.client()
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', `${primary.port}`])
    await expect.poll(async () => admin.info('replication')).toContain('master_link_status:up')
    const [here, there] = [openTable({ url: redis.url }), openTable({ url: primary.url })]
    there.set('s', 'a')
    await ready(here)
    await expect.poll(async () => here.get('s')).toBe('a')
    here.set('t', 'b')
    await expect
      .poll(() => states.find(({ state }) => state === 'degraded')?.reason)
      .toMatch(/^writes: READONLY /)
    expect(here.table.get('t')).toBe('b')
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    const third = openTable({ url: redis.url })
    await expect.poll(async () => third.get('t'), { timeout: 10_000 }).toBe('b')
    expect(reasonsOf(states)).toEqual(['writes:'])
  })

  it('that is full answers look-ups, and gets the writes when there is room', async () => {
    const states = noteStates()
    const redis = await startRedis('--maxmemory-policy', 'noeviction')
    const admin = await redis.client()
    const here = openTable({ url: redis.url })
    await ready(here)
    await admin.configSet('maxmemory', '1')
    here.set('s', 'a')
    await expect.poll(() => states.find(({ state }) => state === 'degraded')?.reason).toMatch(/^writes: OOM /)
    expect(here.table.get('s')).toBe('a')
    expect(await here.get('x')).toBeUndefined()
    await admin.configSet('maxmemory', '0')
    const there = openTable({ url: redis.url })
    await expect.poll(async () => there.get('s'), { timeout: 10_000 }).toBe('a')
    expect(reasonsOf(states)).toEqual(['writes:'])
    expect(states.filter(({ state }) => state === 'up').length).toBeGreaterThan(1)
  })

  it('that is loading is down, and used when it has loaded', async () => {
    const states = noteStates()
    const redis = await startRedis('--enable-debug-command', 'yes', '--rdbcompression', 'no')
    const admin = await redis.client()
    const here = openTable({ url: redis.url })
    here.set('s', 'a')
    await expect.poll(async () => admin.dbSize()).toBeGreaterThan(0)
    await here.store.close()
    await admin.sendCommand(['DEBUG', 'POPULATE', '20', 'key', '4000'])
    await admin.sendCommand(['SAVE'])
    await redis.kill()
    // It takes a tenth of a second for each key.
    const slow = ['--key-load-delay', '100000', '--loading-process-events-interval-bytes', '1024']
    await redis.start(/loading|server initialized/i, slow)
    const there = openTable({ url: redis.url })
    await expect
      .poll(() => states.at(-1))
      .toMatchObject({ state: 'down', reason: expect.stringMatching(/LOADING/) as string })
    expect(there.table.get('s')).toBeUndefined()
    await ready(there)
    expect(await there.get('s')).toBe('a')
  })

  it('keeps no more writes than it may while it is away', async () => {
    const redis = await startRedis()
    await redis.kill()
    const here = openTable({ url: redis.url, maxPending: 2 })
    for (const id of ['s', 't', 'u']) here.set(id, 'a')
    await redis.start()
    const there = openTable({ url: redis.url })
    await ready(there)
    await expect.poll(async () => there.get('u')).toBe('a')
    expect([await there.get('s'), await there.get('t')]).toEqual([undefined, 'a'])
  })

  it('that was silent is not told an old write again when another gateway has written since', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    const there = openTable({ url: redis.url })
    await Promise.all([ready(here), ready(there)])
    redis.pause()
    here.set('s', 'a')
    await setImmediate()
    there.set('s', 'b')
    // Longer than a write may take, so that this one is to be sent again.
    await setTimeout(1_200)
    redis.resume()
    await Promise.all([ready(here), ready(there)])
    await expect.poll(async () => Promise.all([here.get('s'), there.get('s')])).toEqual(['b', 'b'])
    await here.store.close()
    const third = openTable({ url: redis.url })
    await ready(third)
    expect(await third.get('s')).toBe('b')
  })

  it('lets a store close', async () => {
    const redis = await startRedis()
    const here = openTable({ url: redis.url })
    await ready(here)
    redis.pause()
    here.set('s', 'a')
    await here.store.close()
    await here.store.close()
    expect(here.table.get('s')).toBe('a')
  })
})
