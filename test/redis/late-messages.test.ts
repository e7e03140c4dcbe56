import { describe, expect, it } from 'vitest'
import { hasNoRedis, type AdminClient, startRedis } from '../support/redis-server.ts'
import { openTable, ready, type Table, TTL_MS } from '../support/redis-table.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

interface Gateways {
  /** Behind the proxy. */
  readonly here: Table
  readonly there: Table
  readonly proxy: TcpProxy
  readonly admin: AdminClient
  readonly clock: { ms: number }
  readonly url: string
}

/** @param isHeld from the start, so that the handshake of `here` does not end */
async function setUp(isHeld: boolean): Promise<Gateways> {
  const redis = await startRedis()
  const proxy = await TcpProxy.start(redis.port)
  if (isHeld) proxy.hold()
  const clock = { ms: Date.now() }
  const here = openTable({ url: `redis://127.0.0.1:${proxy.port}` }, { now: () => clock.ms })
  const there = openTable({ url: redis.url })
  await ready(there)
  if (!isHeld) await ready(here)
  return { here, there, proxy, admin: await redis.client(), clock, url: redis.url }
}

async function sessionKey(admin: AdminClient): Promise<string> {
  await expect.poll(async () => admin.keys('limpet:{shop}:l:*')).toHaveLength(1)
  const [key = ''] = await admin.keys('limpet:{shop}:l:*')
  return key
}

describe.skipIf(hasNoRedis)('messages between a gateway and Redis that are late', () => {
  it('do not leave a moved session in memory when the move is told in the packet of a reply', async () => {
    const { here, there, proxy, admin } = await setUp(false)
    there.set('s', 'a')
    await sessionKey(admin)
    proxy.hold()
    const reading = here.get('s')
    const held = (): string => proxy.connections.map(connection => connection.held).join('')
    // The length of a tag.
    await expect.poll(held).toContain('$16\r\n')
    there.set('s', 'b')
    await expect.poll(held).toContain('invalidate')
    proxy.release()
    expect(await reading).toBe('b')
    await expect.poll(async () => here.get('s')).toBe('b')
  })

  it('do not let a renewal that waits undo a move that is told meanwhile', async () => {
    const { here, there, proxy, clock, url } = await setUp(false)
    here.set('s', 'a')
    await expect.poll(async () => there.get('s')).toBe('a')
    proxy.hold()
    // The next write waits for the reply to this one.
    here.set('t', 'a')
    await expect.poll(async () => there.get('t')).toBe('a')
    clock.ms += TTL_MS / 2
    here.table.renew?.('s', 'a', TTL_MS)
    there.set('s', 'b')
    await expect
      .poll(() => proxy.connections.map(connection => connection.held).join(''))
      .toContain('invalidate')
    proxy.release()
    await here.store.close()
    const late = openTable({ url })
    await ready(late)
    expect(await late.get('s')).toBe('b')
  })

  it('do not undo the newer write of another gateway', async () => {
    const { here, there, proxy, admin, clock } = await setUp(true)
    here.set('s', 'a')
    clock.ms += TTL_MS / 2
    there.set('s', 'b')
    await sessionKey(admin)
    proxy.release()
    await ready(here)
    await expect.poll(async () => here.get('s')).toBe('b')
    await here.store.close()
    expect(await there.get('s')).toBe('b')
  })

  it('do not end a session that another gateway has continued since', async () => {
    const { here, there, proxy, admin, clock } = await setUp(true)
    there.set('s', 'b')
    const key = await sessionKey(admin)
    here.table.delete('s')
    clock.ms += TTL_MS / 2
    await admin.pExpire(key, TTL_MS)
    proxy.release()
    await ready(here)
    await expect.poll(async () => here.get('s')).toBe('b')
    await here.store.close()
    expect(await there.get('s')).toBe('b')
  })

  it('bring a write that is newer than that of another gateway', async () => {
    const { here, there, proxy, admin } = await setUp(true)
    there.set('s', 'b')
    await admin.pExpire(await sessionKey(admin), TTL_MS / 2)
    here.set('s', 'a')
    proxy.release()
    await ready(here)
    await expect.poll(async () => there.get('s')).toBe('a')
    expect(await here.get('s')).toBe('a')
    here.table.delete('s')
    await expect.poll(async () => there.get('s')).toBeUndefined()
  })
})
