import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import {
  type AdminClient,
  hasNoRedis,
  type RedisServer,
  requireTls,
  startRedis,
  startSentinel,
} from '../support/redis-server.ts'
import { noteStates, openTable, ready, reasonsOf } from '../support/redis-table.ts'
import { testCertificate } from '../support/tls.ts'

const HALF = 8_191
const LAST = 16_383

describe.skipIf(hasNoRedis)('a Cluster', () => {
  it('is asked at the node that has the pool, and followed when that changes', async () => {
    const states = noteStates()
    const [first, second] = await startCluster()
    const url = [first.server.url, second.server.url]
    // The slots of these pools are in different halves.
    const pools = ['shop', 'shop2', 'shop3', 'shop4', 'shop5']
    const tables = pools.map(
      pool => [openTable({ url }, { pool }), openTable({ url: url[1] ?? '' }, { pool })] as const,
    )
    for (const [here] of tables) here.set('s', 'a')
    for (const [, there] of tables) await expect.poll(async () => there.get('s')).toBe('a')
    const sizes = await Promise.all([first, second].map(async ({ admin }) => admin.keys('*:l:*')))
    expect(sizes.every(keys => keys.length > 0)).toBe(true)
    expect(sizes.flat()).toHaveLength(pools.length)

    // All slots go to the second node, and its entries with them.
    const ids = await Promise.all(
      [first, second].map(async ({ admin }) => admin.sendCommand<string>(['CLUSTER', 'MYID'])),
    )
    await first.admin.flushAll()
    const firsts = await slotsOf(first.admin)
    for (const { admin } of [second, first]) {
      await Promise.all(
        firsts.map(async slot => admin.sendCommand(['CLUSTER', 'SETSLOT', `${slot}`, 'NODE', ids[1] ?? ''])),
      )
    }
    for (const [here, there] of tables) {
      here.set('t', 'b')
      await expect.poll(async () => there.get('t'), { timeout: 10_000 }).toBe('b')
      expect(await here.get('s')).toBe('a')
    }
    expect(reasonsOf(states)).toEqual([])
  })
})

interface Node {
  readonly server: RedisServer
  readonly admin: AdminClient
  /** On which the nodes speak to each other. */
  readonly busPort: string
}

/** Two nodes, with half of the slots each. */
async function startCluster(): Promise<[Node, Node]> {
  const [first, second] = await Promise.all([startNode(), startNode()])
  await first.admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', `${HALF}`])
  await second.admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', `${HALF + 1}`, `${LAST}`])
  await second.admin.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', '2'])
  await first.admin.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', `${second.server.port}`, second.busPort])
  for (const { admin } of [first, second]) {
    await expect
      .poll(async () => admin.sendCommand(['CLUSTER', 'INFO']), { timeout: 15_000 })
      .toContain('cluster_state:ok')
  }
  return [first, second]
}

async function startNode(): Promise<Node> {
  // Its own choice is the port of clients plus 10,000, which another process may have.
  const busPort = String(await freePort())
  const bus = ['--cluster-port', busPort]
  const server = await startRedis('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...bus)
  return { server, busPort, admin: await server.client() }
}

/** The slots whose keys the test has used. */
async function slotsOf(admin: AdminClient): Promise<readonly number[]> {
  const pools = ['shop', 'shop2', 'shop3', 'shop4', 'shop5']
  const slots = await Promise.all(
    pools.map(async pool => Number(await admin.sendCommand(['CLUSTER', 'KEYSLOT', `{${pool}}`]))),
  )
  return slots.filter(slot => slot <= HALF)
}

describe.skipIf(hasNoRedis)('Sentinel', () => {
  it('names the primary, and after a failover the new one', async () => {
    const primary = await startRedis('--repl-diskless-sync-delay', '0')
    const replica = await startRedis('--replicaof', `127.0.0.1 ${primary.port}`)
    const admin = await replica.client()
    await expect.poll(async () => admin.info('replication')).toContain('master_link_status:up')
    const sentinel = await startSentinel(primary)
    const nodes = [`redis://127.0.0.1:1`, sentinel.url]
    const [here, there] = [1, 2].map(() => openTable({ sentinel: { name: 'main', nodes } }))
    here?.set('s', 'a')
    await expect.poll(async () => there?.get('s')).toBe('a')
    await expect.poll(async () => admin.dbSize()).toBeGreaterThan(0)
    await primary.kill()
    await expect.poll(async () => admin.info('replication'), { timeout: 15_000 }).toContain('role:master')
    if (here === undefined || there === undefined) throw new Error('no tables')
    await Promise.all([ready(here), ready(there)])
    here.set('t', 'b')
    await expect.poll(async () => there.get('t'), { timeout: 10_000 }).toBe('b')
    expect(await there.get('s')).toBe('a')
  })
})

describe.skipIf(hasNoRedis)('TLS', () => {
  it('is verified, and refused where the certificate is not known', async () => {
    const states = noteStates()
    const redis = await startRedis()
    await requireTls(redis)
    const url = `rediss://127.0.0.1:${redis.port}`
    const here = openTable({ url, tls: { ca: testCertificate.cert } })
    await ready(here)
    here.set('s', 'a')
    const there = openTable({ url, tls: { ca: testCertificate.cert } })
    await expect.poll(async () => there.get('s')).toBe('a')
    openTable({ url })
    await expect
      .poll(() => states.find(({ state }) => state === 'down')?.reason)
      .toMatch(/self-signed certificate/)
  })
})
