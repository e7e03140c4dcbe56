import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

const LISTEN = { host: '127.0.0.1', port: 0, health: '/health' }

describe('the health of a listener', () => {
  test.each(ADAPTERS)(
    'is 200, and 503 while no pool has a backend and while the gateway ends: %s',
    async adapter => {
      const [w1] = await startBackends('w1')
      const gateway = await GatewayProcess.start(fileOf([w1], { listen: LISTEN, adapter, preStop: '20s' }))
      const statusOf = async (path: string, method = 'GET'): Promise<number> =>
        (await gateway.ask({ path, method })).status
      expect(await statusOf('/health')).toBe(200)
      expect(await statusOf('/health?deep=1')).toBe(200)
      expect(await statusOf('/health', 'HEAD')).toBe(200)
      expect(w1.seen).toEqual([])
      for (const [path, method] of [
        ['/health/', 'GET'],
        ['/healthz', 'GET'],
        ['/health', 'POST'],
      ] as const)
        expect(await statusOf(path, method)).toBe(200)
      expect(w1.seen.map(({ url }) => url)).toEqual(['/health/', '/healthz', '/health'])
      await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
      expect(await statusOf('/health')).toBe(503)
      await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'ready' })
      expect(await statusOf('/health')).toBe(200)
      gateway.signal('SIGTERM')
      await expect.poll(async () => statusOf('/health')).toBe(503)
      // The rest is served until the load balancer has noticed.
      expect(await statusOf('/')).toBe(200)
    },
  )

  test('and other requests are left out of the log by path and status', async () => {
    const [w1] = await startBackends('w1')
    const skip = [{ path: '/health', status: '2xx' }, { path: '/assets/' }, { status: 404 }]
    const gateway = await GatewayProcess.start(
      fileOf([w1], {
        listen: LISTEN,
        log: { skip },
        routes: [{ path: '/', host: 'shop.example', pool: 'web' }],
      }),
    )
    const Host = 'shop.example'
    await gateway.ask({ path: '/health', headers: { Host } })
    await gateway.ask({ path: '/assets/a.css', headers: { Host } })
    await gateway.ask({ path: '/nowhere' })
    await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
    await gateway.ask({ path: '/health', headers: { Host } })
    await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'ready' })
    await gateway.ask({ path: '/assets', headers: { Host } })
    await gateway.logged('request', 2)
    const lines = gateway.log.filter(({ event }) => event === 'request')
    expect(lines.map(({ path, status }) => [path, status])).toEqual([
      ['/health', 503],
      ['/assets', 200],
    ])
  })

  test.each([
    [{ listen: { port: 0, health: 'health' } }, /listen\.health .*; it takes a path that begins with/],
    [{ listen: { port: 0, health: '/h?x' } }, /listen\.health .*without a query/],
    [{ log: { skip: [{}] } }, /log\.skip\[0\] needs a path, a status or both/],
    [{ log: { skip: [{ status: '6xx' }] } }, /log\.skip\[0\]\.status got "6xx"; it takes a status/],
    [{ log: { skip: [{ path: 'x' }] } }, /log\.skip\[0\]\.path .*; it takes a path that begins with/],
  ])('%j is refused', async (more, problem) => {
    const gateway = GatewayProcess.spawn(fileOf([], more))
    const { code, error } = await gateway.exited
    expect(code).toBe(1)
    expect(error).toMatch(problem)
  })
})
