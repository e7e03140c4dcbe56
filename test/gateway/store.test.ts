import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import {
  hasNoRedis,
  type RedisServer,
  requireTls,
  startRedis,
  startSentinel,
} from '../support/redis-server.ts'
import { echoWith } from '../support/scripts.ts'

/** `store: { redis: … }` in the file: several gateways, one of them with several workers. */

const HEADER = 'X-Session'
const JSON_TYPE = { 'Content-Type': 'application/json' }

function learningFile(backends: readonly Backend[], more: object = {}): object {
  const store = { redis: { url: 'env:REDIS_URL', deadline: '5s' } }
  return fileOf(backends, { store, ...more }, { affinity: [{ learn: { header: HEADER } }] })
}

async function startGateway(
  backends: readonly Backend[],
  redis: RedisServer,
  more: object = {},
): Promise<GatewayProcess> {
  return GatewayProcess.start(learningFile(backends, more), [], { REDIS_URL: redis.url })
}

/** The ids of the backends that requests of one session meet, one connection each. */
async function met(gateway: GatewayProcess, session: string, requests = 6): Promise<readonly string[]> {
  const ids = new Set<string>()
  for (let number = 0; number < requests; number += 1) {
    const { echo } = await gateway.ask({ headers: { [HEADER]: session } })
    ids.add(echo.id)
  }
  return [...ids]
}

interface Row {
  readonly id: string
  readonly state: string
  readonly weight: number
}

async function rowsOf(gateway: GatewayProcess): Promise<readonly string[]> {
  const { text } = await gateway.admin('GET', '/stats.json')
  const { pools } = JSON.parse(text) as { pools: { web: { backends: Row[] } } }
  return pools.web.backends.map(({ id, state, weight }) => `${id} ${state} ${weight}`)
}

// Each process takes its time to start.
describe.skipIf(hasNoRedis)('gateways with a store in Redis', { timeout: 60_000 }, () => {
  test('know the sessions that another worker or gateway has learned', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    for (const backend of backends) backend.script = echoWith(200, { [HEADER]: 'session-1' })
    const redis = await startRedis()
    const here = await startGateway(backends, redis, { workers: 2 })
    const there = await startGateway(backends, redis)
    const first = await here.ask()
    const home = first.echo.id
    const admin = await redis.client()
    await expect.poll(async () => admin.keys('limpet:{web}:l:*')).toHaveLength(1)
    expect(await met(here, 'session-1')).toEqual([home])
    expect(await met(there, 'session-1')).toEqual([home])
  })

  test('wait for Redis while it is silent, and know its sessions when they listen', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    for (const backend of backends) backend.script = echoWith(200, { [HEADER]: 'session-1' })
    const redis = await startRedis()
    const here = await startGateway(backends, redis)
    const home = (await here.ask()).echo.id
    const admin = await redis.client()
    await expect.poll(async () => admin.keys('limpet:{web}:l:*')).toHaveLength(1)
    redis.pause()
    const there = GatewayProcess.spawn(learningFile(backends), [], { REDIS_URL: redis.url })
    // The first connection has been given up, after 2 s.
    expect(await there.logged('redis_state')).toMatchObject({ state: 'down' })
    redis.resume()
    await there.logged('listening')
    const isUp = there.log.findIndex(({ state }) => state === 'up')
    expect(there.log.findIndex(({ event }) => event === 'listening')).toBeGreaterThan(isUp)
    expect(isUp).toBeGreaterThan(0)
    expect(await met(there, 'session-1')).toEqual([home])
  })

  test('share the commands of operators, and tell them to gateways that start later', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    const redis = await startRedis()
    const here = await startGateway(backends, redis, { workers: 2 })
    const there = await startGateway(backends, redis)
    const drain = await here.admin('PATCH', '/pools/web/backends/w1', { state: 'drain', weight: 3 })
    expect(drain.status).toBe(200)
    const added = { id: 'w4', url: 'http://127.0.0.1:4' }
    expect((await here.admin('POST', '/pools/web/backends', added)).status).toBe(201)
    expect((await here.admin('DELETE', '/pools/web/backends/w2', undefined, JSON_TYPE)).status).toBe(204)
    const expected = ['w1 drain 3', 'w3 ready 1', 'w4 ready 1']
    expect(await rowsOf(here)).toEqual(expected)
    await expect.poll(async () => rowsOf(there)).toEqual(expected)
    await there.logged('fleet_change', 3)
    expect(there.log.filter(({ event }) => event === 'fleet_change')).toContainEqual(
      expect.objectContaining({ pool: 'web', backend: 'w1', change: 'drain' }),
    )
    const late = await startGateway(backends, redis)
    expect(await rowsOf(late)).toEqual(expected)
    // A new file does not undo it.
    late.write(learningFile(backends, { shutdownGrace: '3s' }))
    late.signal('SIGHUP')
    await late.logged('reloaded')
    expect(await rowsOf(late)).toEqual(expected)
  })

  test('start and serve without Redis, and say so', async () => {
    const backends = await startBackends('w1')
    const redis = await startRedis()
    await redis.kill()
    const gateway = await startGateway(backends, redis, { workers: 2 })
    expect((await gateway.ask()).status).toBe(200)
    const patched = await gateway.admin('PATCH', '/pools/web/backends/w1', { weight: 3 })
    expect(patched.status).toBe(200)
    const down = await gateway.logged('redis_state')
    expect(down).toMatchObject({ pool: 'web', state: 'down' })
    await redis.start()
    const there = await startGateway(backends, redis)
    await expect.poll(async () => rowsOf(there), { timeout: 20_000 }).toEqual(['w1 ready 3'])
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('find it by Sentinels, and by TLS with an authority, a user and a password of their own', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    for (const backend of backends) backend.script = echoWith(200, { [HEADER]: 'session-1' })
    const primary = await startRedis()
    const sentinel = await startSentinel(primary)
    const encrypted = await startRedis()
    await (
      await encrypted.client()
    ).sendCommand(['ACL', 'SETUSER', 'limpet', 'on', '>pass', '~*', '&*', '+@all'])
    await requireTls(encrypted)
    const ca = fileURLToPath(new URL('../support/tls/certificate.pem', import.meta.url))
    const url = `rediss://127.0.0.1:${encrypted.port}`
    const stores = [
      { sentinel: { name: 'main', nodes: ['redis://127.0.0.1:1', 'env:SENTINEL_URL'] } },
      { cluster: [url], username: 'limpet', password: 'env:REDIS_PASSWORD', tls: { ca } },
    ]
    const environment = { SENTINEL_URL: sentinel.url, REDIS_PASSWORD: 'pass' }
    for (const place of stores) {
      const store = { store: { redis: { ...place, deadline: '5s' } } }
      const [here, there] = await Promise.all(
        [{ workers: 2 }, {}].map(async more =>
          GatewayProcess.start(learningFile(backends, { ...store, ...more }), [], environment),
        ),
      )
      if (here === undefined || there === undefined) throw new Error('no gateways')
      const home = (await here.ask()).echo.id
      await expect.poll(async () => met(there, 'session-1', 1)).toEqual([home])
      expect([await met(here, 'session-1'), await met(there, 'session-1')]).toEqual([[home], [home]])
      await there.admin('PATCH', '/pools/web/backends/w1', { weight: 7 })
      await expect.poll(async () => rowsOf(here)).toContain('w1 ready 7')
    }
  })
})
