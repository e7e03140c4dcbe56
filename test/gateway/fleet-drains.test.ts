import { describe, expect, test } from 'vitest'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { hasNoRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

/** `limpet drain --wait` at one of several gateways. */

interface Row {
  readonly state: string
  readonly inFlight: number
  readonly fleet?: object
}

async function startGateway(
  backend: TunnelBackend,
  redis: RedisServer,
  more: object = {},
): Promise<GatewayProcess> {
  const store = { redis: { url: 'env:REDIS_URL', deadline: '5s' } }
  const pool = { affinity: [{ learn: { header: 'X-Session' } }] }
  return GatewayProcess.start(fileOf([backend], { store, ...more }, pool), [], { REDIS_URL: redis.url })
}

async function rowOf(gateway: GatewayProcess): Promise<Row> {
  return JSON.parse((await gateway.admin('GET', '/pools/web/backends/w1')).text) as Row
}

// Each process takes its time to start.
describe.skipIf(hasNoRedis)('limpet drain --wait', { timeout: 60_000 }, () => {
  const { web } = upgradeClients()

  test.each([
    ['closes', { workers: 2 }, 3],
    ['ends with its gateway, which is killed', {}, 2],
  ])('waits for a WebSocket at another gateway until it %s', async (what, more, processes) => {
    const redis = await startRedis()
    const backend = await startTunnelBackend('w1', webSocketServer())
    const here = await startGateway(backend, redis)
    const there = await startGateway(backend, redis, more)
    const { socket } = await web(there.port)
    const draining = limpet(['drain', 'web/w1', '--wait', '--admin', `http://127.0.0.1:${here.adminPort}`])
    const fleet = { processes, inFlight: 1, tunnels: 1, sessions: 0 }
    await expect.poll(async () => rowOf(here), { timeout: 20_000 }).toMatchObject({ inFlight: 0, fleet })
    await expect.poll(async () => rowOf(there), { timeout: 20_000 }).toMatchObject({ inFlight: 1, fleet })
    if (what === 'closes') socket.close()
    else there.signal('SIGKILL')
    const { code, out } = await draining
    expect(out).toMatch(/all gateways: ~0 sessions, /)
    expect(out).toMatch(/^web\/w1 is safe to stop: no session is left$/m)
    expect(code).toBe(0)
    expect(await rowOf(here)).toMatchObject({ state: 'maint' })
  })
})
